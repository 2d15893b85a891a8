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
from datetime import datetime, timedelta
from hashlib import sha256

from calendar_guard import zones
from calendar_guard.ical import recurrence
from calendar_guard.ical.clocks import Clock
from calendar_guard.ical.components import Component, Unreadable, cut
from calendar_guard.ical.events import latest, parse, repeats, words
from calendar_guard.ical.places import Place, Places
from calendar_guard.ical.recurrence import Event
from calendar_guard.lasting import LONGEST
from calendar_guard.words import Window

MOST_EVENTS = 100_000
MOST_OCCASIONS = 50_000
_DAY = timedelta(days=1)
_STATUS = {"TENTATIVE": "tentative", "CANCELLED": "cancelled"}
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
            yield from self._read(uid, [parse(part, name) for part in components], name)
        except Unreadable:
            raise
        except OverflowError:
            raise Unreadable(f"{name} lies outside of what a calendar can hold.") from None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # Values of unforeseen kinds come apart in many places, the library's among them.
            raise Unreadable(f"{name} has a value that makes no sense.") from error

    def _read(self, uid: str, events: list[Event], name: str) -> Iterator[Occasion]:
        changes = [event for event in events if "RECURRENCE-ID" in event]
        masters = latest([event for event in events if "RECURRENCE-ID" not in event])
        uid = uid if len(uid) <= _LONGEST_UID else sha256(uid.encode()).hexdigest()
        series = [event for event in masters if repeats(event)]
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
        clock = Clock(self._places, place, name)
        starts = clock.local(event["DTSTART"])
        span = starts, clock.end(event, starts)
        yield from self._occasion(uid, event, span, place, name)

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
            Clock(self._places, place, name).settle(event)
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
                title=words(event, "SUMMARY") or "Untitled",
                venue=words(event, "LOCATION"),
                zone=place.zone,
                starts_local=starts_local,
                ends_local=ends_local,
                starts_at=starts_at,
                ends_at=ends_at,
                status=_status(event),
            )


def _status(event: Event) -> str:
    """Of several, which RFC 5545 forbids, no one calls a wedding off that another keeps."""
    found = event.get("STATUS", "")
    said = {str(one).strip().upper() for one in (found if isinstance(found, list) else [found])}
    return _STATUS.get(said.pop(), "confirmed") if len(said) == 1 else "confirmed"


def _stamp(local: datetime) -> str:
    return local.strftime("%Y%m%dT%H%M%S")
