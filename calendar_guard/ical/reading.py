"""Reads an iCalendar feed into occasions: text in, words out, or Unreadable with a sentence.

Where a feed leaves something open, the reading that protects longer is taken: an event without an
end (or one that ends as it starts) lasts 12 hours, or its day; a duration counts by the clock on
the wall or in true hours, whichever is longer; an unknown status is confirmed; events that share a
UID without a SEQUENCE to choose by are all kept. One that lasts over 7 days ("Closed for the
winter") is taken in pieces of 7 days, `UID/0`, `UID/1`. No sentence here repeats a word of the
file: names may be anywhere, in UIDs too. https://www.rfc-editor.org/rfc/rfc5545
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any

import icalendar

from calendar_guard import zones
from calendar_guard.ical import recurrence
from calendar_guard.ical.components import Component, Unreadable, cut
from calendar_guard.ical.places import Place, Places, between_clocks, lasting
from calendar_guard.ical.recurrence import Event
from calendar_guard.words import Window

__all__ = ["LONGEST", "MOST_OCCASIONS", "Occasion", "read"]

LONGEST = timedelta(days=7)
MOST_EVENTS = 100_000
MOST_OCCASIONS = 50_000
WITHOUT_END = timedelta(hours=12)
_DAY = timedelta(days=1)
_STATUS = {"TENTATIVE": "tentative", "CANCELLED": "cancelled"}
_ONCE = {
    **dict.fromkeys(("DTSTART", "DTEND", "RECURRENCE-ID"), date),
    "DURATION": timedelta,
    "SEQUENCE": int,
}
_LONGEST_UID = 200


@dataclass(frozen=True, slots=True)
class Occasion:
    """One event, or one instance of a repeating one: `uid` is then UID/place in its rule.

    Local times are naive and belong to `zone`; instants are UTC.
    """

    uid: str
    title: str
    venue: str
    zone: str
    starts_local: datetime
    ends_local: datetime
    starts_at: datetime
    ends_at: datetime
    status: str  # tentative, confirmed, cancelled


def read(content: bytes, *, zone: str, window: Window) -> list[Occasion]:
    """The occasions that touch `window`, by start.

    `zone` is the feed's own: floating times and all-day events are read in it, and times in UTC
    or in a zone that only the feed knows are kept in it.
    """
    groups, timezones = _group(content)
    reader = _Reader(Places(zone, timezones), window)
    found: dict[str, Occasion] = {}
    for uid in list(groups):
        for occasion in reader.read(uid, groups.pop(uid)):
            _keep(found, occasion)
        if len(found) > MOST_OCCASIONS:
            raise Unreadable(f"The calendar holds more than {MOST_OCCASIONS:,} occasions.")
    return sorted(found.values(), key=lambda occasion: (occasion.starts_at, occasion.uid))


def _group(content: bytes) -> tuple[dict[str, list[Component]], dict[str, Component]]:
    """Events by UID and time zones by TZID, in the order of the file."""
    groups: dict[str, list[Component]] = {}
    timezones: dict[str, Component] = {}
    for number, component in enumerate(cut(content), start=1):
        if number > MOST_EVENTS:
            raise Unreadable(f"The calendar holds more than {MOST_EVENTS:,} events.")
        if component.name == "VTIMEZONE":
            timezones[component.value("TZID")] = component
        elif uid := component.value("UID"):
            groups.setdefault(uid, []).append(component)
        else:
            raise Unreadable(f"The event at line {component.line} has no UID.")
    return groups, timezones


def _keep(found: dict[str, Occasion], occasion: Occasion) -> None:
    """Of two with the same uid and start the one that protects more; other starts are others."""
    other = found.get(occasion.uid)
    if other and other.starts_local != occasion.starts_local:
        occasion = replace(occasion, uid=f"{occasion.uid}/{_stamp(occasion.starts_local)}")
        other = found.get(occasion.uid)
    if other is None or _protects(other) < _protects(occasion):
        found[occasion.uid] = occasion


def _protects(occasion: Occasion) -> tuple[bool, datetime]:
    return occasion.status != "cancelled", occasion.ends_at


class _Reader:
    def __init__(self, places: Places, window: Window) -> None:
        self._places = places
        self._window = window
        self._budget = recurrence.Budget()

    def read(self, uid: str, components: list[Component]) -> Iterator[Occasion]:
        """What one UID stands for within the window."""
        name = f"The event at line {components[0].line}"
        try:
            yield from self._read(uid, [_parse(part, name) for part in components], name)
        except Unreadable:
            raise
        except OverflowError:
            raise Unreadable(f"{name} lies outside of what a calendar can hold.") from None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # Values of unforeseen kinds come apart in many places, the library's among them.
            raise Unreadable(f"{name} has a value that makes no sense.") from error

    def _read(self, uid: str, events: list[Event], name: str) -> Iterator[Occasion]:
        changes = [event for event in events if "RECURRENCE-ID" in event]
        masters = _latest([event for event in events if "RECURRENCE-ID" not in event])
        uid = uid if len(uid) <= _LONGEST_UID else sha256(uid.encode()).hexdigest()
        series = [event for event in masters if _repeats(event)]
        if changes and not series:
            series, masters = masters[:1], masters[1:]
        for event in masters:
            if event not in series and self._near(event):
                yield from self._single(uid, event, name)
        if series or changes:
            yield from self._series(uid, [*changes, *series[:1]], name)
        for event in series[1:]:
            yield from self._series(uid, [event], name)

    def _single(self, uid: str, event: Event, name: str) -> Iterator[Occasion]:
        place = self._places.of(event["DTSTART"], name)
        starts = self._local(event["DTSTART"], place, name)
        ends = self._end(event, starts, place, name)
        yield from self._occasion(uid, event, (starts, ends), place, name)

    def _near(self, event: Event) -> bool:
        """Seen from two days off, whatever the zone: the past need not be without mistakes."""
        own = self._places.own
        times = [own.local(event[end].dt) for end in ("DTSTART", "DTEND") if end in event]
        longest = event["DURATION"].dt if "DURATION" in event else timedelta(0)
        return (
            own.local(self._window.start) - 2 * _DAY < max(times) + max(longest, timedelta(0))
            and min(times) < own.local(self._window.end) + 2 * _DAY
        )

    def _series(self, uid: str, events: list[Event], name: str) -> Iterator[Occasion]:
        place = self._places.of(events[-1]["DTSTART"], name)
        for event in events:
            self._settle(event, place, name)
        instances = recurrence.expand(
            events,
            start=place.local(self._window.start) - _DAY,
            end=place.local(self._window.end) + _DAY,
            budget=self._budget,
            name=name,
        )
        for instance, at in instances:
            span = instance["DTSTART"].dt, instance["DTEND"].dt
            yield from self._occasion(f"{uid}/{_stamp(at)}", instance, span, place, name)

    def _settle(self, event: Event, place: Place, name: str) -> None:
        """Put every time of an event on one clock, naive, so that repeating follows the wall."""
        starts = self._local(event["DTSTART"], place, name)
        ends = self._end(event, starts, place, name)
        whole_days = not isinstance(event["DTSTART"].dt, datetime)
        for key in ("EXDATE", "RDATE"):
            if key in event:
                lists = event[key] if isinstance(event[key], list) else [event[key]]
                event[key] = [self._settled(one, place, name, whole_days) for one in lists]
        if "RECURRENCE-ID" in event:
            old = event["RECURRENCE-ID"]
            event["RECURRENCE-ID"] = _naive(self._local(old, place, name), old.params)
        for rule in recurrence.rules_of(event):
            if "UNTIL" in rule:
                rule["UNTIL"] = [_until(until, place) for until in rule["UNTIL"]]
        event["DTSTART"], event["DTEND"] = _naive(starts), _naive(ends)

    def _settled(self, prop: Any, place: Place, name: str, whole_days: bool) -> Any:
        """One EXDATE or RDATE; a date that excludes a timed instance stays a date."""
        there = self._places.of(prop, name)
        settled = icalendar.prop.vDDDLists([])
        settled.dts = [
            _moved(one, there, place) if whole_days or isinstance(_first(one.dt), datetime) else one
            for one in prop.dts
        ]
        return settled

    def _local(self, prop: Any, place: Place, name: str) -> datetime:
        return between_clocks(prop.dt, self._places.of(prop, name), place)

    def _end(self, event: Event, starts: datetime, place: Place, name: str) -> datetime:
        """The end on the clock of `place`."""
        if "DTEND" in event:
            ends = self._local(event["DTEND"], place, name)
            if ends < starts:
                raise Unreadable(f"{name} ends before it starts.")
            if ends > starts:
                return ends
        elif "DURATION" in event and event["DURATION"].dt != timedelta(0):
            if event["DURATION"].dt < timedelta(0):
                raise Unreadable(f"{name} lasts less than no time.")
            return lasting(starts, event["DURATION"].dt, place)
        if not isinstance(event["DTSTART"].dt, datetime):
            return starts + _DAY
        return lasting(starts, WITHOUT_END, place)

    def _occasion(
        self, uid: str, event: Event, span: tuple[datetime, datetime], place: Place, name: str
    ) -> Iterator[Occasion]:
        starts, ends = span
        if ends <= starts:  # as a period of an RDATE can
            raise Unreadable(f"{name} has an instance that takes no time.")
        for part, piece in self._pieces(starts, ends, place):
            yield from self._piece(f"{uid}{part}", event, piece, place)

    def _pieces(
        self, starts: datetime, ends: datetime, place: Place
    ) -> Iterator[tuple[str, tuple[datetime, datetime]]]:
        """("", the whole span), or ("/number", 7 days of it) for those in or beside the window."""
        if ends - starts <= LONGEST:
            yield "", (starts, ends)
            return
        first = (place.local(self._window.start) - starts) // LONGEST - 1
        last = (place.local(self._window.end) - starts) // LONGEST + 1
        for number in range(max(first, 0), min(last, (ends - starts) // LONGEST) + 1):
            begins = starts + number * LONGEST
            if begins < ends:
                yield f"/{number}", (begins, begins + min(LONGEST, ends - begins))

    def _piece(
        self, uid: str, event: Event, span: tuple[datetime, datetime], place: Place
    ) -> Iterator[Occasion]:
        starts, ends = span
        starts_local, ends_local = place.kept(starts), place.kept(ends)
        starts_at = zones.earliest(starts_local, place.zone)
        ends_at = zones.latest(ends_local, place.zone)
        if starts_at < self._window.end and self._window.start < ends_at:
            yield Occasion(
                uid=uid,
                title=_words(event, "SUMMARY") or "Untitled",
                venue=_words(event, "LOCATION"),
                zone=place.zone,
                starts_local=starts_local,
                ends_local=ends_local,
                starts_at=starts_at,
                ends_at=ends_at,
                status=_STATUS.get(_words(event, "STATUS").upper(), "confirmed"),
            )


def _parse(component: Component, name: str) -> Event:
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


def _latest(masters: list[Event]) -> list[Event]:
    highest = max((_sequence(event) for event in masters), default=0)
    return [event for event in masters if _sequence(event) == highest]


def _sequence(event: Event) -> int:
    return int(event.get("SEQUENCE", 0))


def _repeats(event: Event) -> bool:
    return any(key in event for key in ("RRULE", "RDATE", "EXDATE"))


def _words(event: Event, key: str) -> str:
    found = event.get(key, "")
    return " ".join(str(found[0] if isinstance(found, list) else found).split())[:200].strip()


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def _moved(one: Any, there: Place, here: Place) -> Any:
    value = one.dt
    if not isinstance(value, tuple):
        return _naive(between_clocks(value, there, here))
    begins, ends = value
    if not isinstance(ends, timedelta):
        ends = between_clocks(ends, there, here)
    return icalendar.prop.vDDDTypes((between_clocks(begins, there, here), ends))


def _naive(value: datetime, params: Any = None) -> Any:
    settled = icalendar.prop.vDDDTypes(value)
    if params and "RANGE" in params:
        settled.params["RANGE"] = params["RANGE"]
    return settled


def _until(value: date, place: Place) -> datetime:
    """The last moment of a rule; a date means that day with all its hours."""
    if isinstance(value, datetime):
        return place.local(value)
    return datetime.combine(value, time(23, 59, 59))


def _stamp(local: datetime) -> str:
    return local.strftime("%Y%m%dT%H%M%S")
