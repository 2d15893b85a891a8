"""Which times an event falls on, in the wall time of its own zone, within a window.

Expansion is recurring-ical-events'; this file sees to it that no rule can keep it busy for ever:
https://recurring-ical-events.readthedocs.io
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import icalendar
from recurring_ical_events import CalendarQuery

from calendar_guard.ical.components import Unreadable

# An icalendar.Event: what its stubs say of a property, no caller can use.
Event = Any
MOST_INSTANCES = 2_000
# A step is a day that a rule by day looks at; about a microsecond.
MOST_STEPS = 10_000_000
_WEIGHT = {"DAILY": 1.0, "WEEKLY": 0.3, "MONTHLY": 0.1, "YEARLY": 0.1}
# How far beyond the window a rule may look for its next instance: leap years and Fridays the
# 13th come back within 28 years; one that never comes is sought until the year 9999.
_SPARSE, _NEVER = 28 * 366, 2_920_000
_MOST_A_DAY = 24


@dataclass(slots=True)
class Budget:
    """What is left, for one whole feed."""

    steps: float = field(default=MOST_STEPS)

    def spend(self, steps: float) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise Unreadable(
                "The calendar's rules of repetition are too costly to follow;"
                " let repeating events begin later or end."
            )


def expand(
    events: list[Event], *, start: datetime, end: datetime, budget: Budget, name: str
) -> Iterator[tuple[Event, datetime]]:
    """(event, its place in the rule) for each instance in [start, end], all of it in naive times.

    `events` are one event and its changed instances, already in wall time; `name` is for people.
    """
    for event in events:
        for rule in rules_of(event):
            _check(rule, name)
            budget.spend(_cost(rule, event["DTSTART"].dt, end))
    calendar = icalendar.Calendar()
    for event in events:
        calendar.add_component(event)
    try:
        found = CalendarQuery(calendar).between(start, end)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        raise Unreadable(f"{name} repeats by a rule that makes no sense.") from error
    if len(found) > MOST_INSTANCES:
        raise Unreadable(f"{name} repeats more than {MOST_INSTANCES:,} times.")
    for instance in found:
        place = instance["RECURRENCE-ID"]
        # A change of this and all that follow gives each of them the place of the first.
        follows = place.params.get("RANGE") == "THISANDFUTURE"
        yield instance, (instance["DTSTART"] if follows else place).dt


def rules_of(event: Event) -> list[Any]:
    found = event.get("RRULE", [])
    return found if isinstance(found, list) else [found]


def _check(rule: Any, name: str) -> None:
    frequency = str(rule.get("FREQ", [""])[0]).upper()
    if frequency not in _WEIGHT:
        raise Unreadable(
            f"{name} repeats otherwise than from DAILY to YEARLY, which are what we read."
        )
    if any(len(rule.get(part, [])) > 1 for part in ("FREQ", "INTERVAL", "COUNT", "UNTIL")):
        raise Unreadable(f"{name} repeats by a rule that says one thing twice.")
    if any(int(number) < 1 for number in rule.get("INTERVAL", [1])):
        raise Unreadable(f"{name} repeats at an interval of less than one.")
    if _times_a_day(rule) > _MOST_A_DAY:
        raise Unreadable(f"{name} repeats more than {_MOST_A_DAY} times a day.")


def _times_a_day(rule: Any) -> int:
    product = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        product *= max(len(rule.get(part, [])), 1)
    return product


def _cost(rule: Any, start: datetime, end: datetime) -> float:
    days = max((end - start).days, 0) + _beyond(rule)
    return days * _WEIGHT[str(rule["FREQ"][0]).upper()] * _times_a_day(rule)


def _beyond(rule: Any) -> int:
    if not _sure_to_come(rule):
        return _NEVER
    plain = not any(part in rule for part in ("BYMONTH", "BYMONTHDAY", "BYSETPOS"))
    return 0 if plain else _SPARSE


def _sure_to_come(rule: Any) -> bool:
    """True only where an instance always comes within years."""
    every = int(rule.get("INTERVAL", [1])[0]) == 1
    places, days = rule.get("BYSETPOS", []), rule.get("BYMONTHDAY", [])
    weekdays = [str(day)[:-2] for day in rule.get("BYDAY", [])]
    numbered = [int(number) for number in weekdays if number.lstrip("+-").isdigit()]
    monthly = str(rule["FREQ"][0]).upper() in {"MONTHLY", "YEARLY"}
    return (
        (every or not any(part in rule for part in ("BYMONTH", "BYMONTHDAY")))
        and not any(part in rule for part in ("BYYEARDAY", "BYWEEKNO"))
        and all(abs(int(number)) <= 4 for number in [*places, *numbered])
        and all(1 <= abs(int(day)) <= 28 for day in days)
        and (not places or (monthly and not days))
    )
