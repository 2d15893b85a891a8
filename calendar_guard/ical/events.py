"""One VEVENT as the library parses it, or a refusal of what it holds."""

from datetime import date, timedelta

import icalendar

from calendar_guard.ical.components import Component, Unreadable
from calendar_guard.ical.recurrence import Event

_ONCE = {
    **dict.fromkeys(("DTSTART", "DTEND", "RECURRENCE-ID"), date),
    "DURATION": timedelta,
    "SEQUENCE": int,
}


def parse(component: Component, name: str) -> Event:
    event: Event = icalendar.Event.from_ical(component.text())
    broken = [str(key or "a line") for key, _ in event.errors]
    if broken:
        raise Unreadable(f"{name} has {broken[0]} that cannot be read.")
    if "DTSTART" not in event:
        raise Unreadable(f"{name} has no start (DTSTART).")
    for key, kind in _ONCE.items():
        if isinstance(event.get(key), list):
            raise Unreadable(f"{name} has more than one {key}.")
        if key in event and not isinstance(getattr(event[key], "dt", event[key]), kind):
            raise Unreadable(f"{name} has {key} that cannot be read.")
    return event


def latest(masters: list[Event]) -> list[Event]:
    highest = max((_sequence(event) for event in masters), default=0)
    return [event for event in masters if _sequence(event) == highest]


def _sequence(event: Event) -> int:
    return int(event.get("SEQUENCE", 0))


def repeats(event: Event) -> bool:
    return any(key in event for key in ("RRULE", "RDATE", "EXDATE"))


def words(event: Event, key: str) -> str:
    found = event.get(key, "")
    return " ".join(str(found[0] if isinstance(found, list) else found).split())[:200].strip()
