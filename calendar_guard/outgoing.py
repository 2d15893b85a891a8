"""Safe windows and protected spans as an iCalendar that people subscribe to: times, no names.

https://www.rfc-editor.org/rfc/rfc5545 and, for its name and how often to look, rfc7986.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from calendar_guard.words import Blocker, Window

REFRESH = timedelta(minutes=15)
PRODUCT = "-//WedSync//load testing calendar//EN"
SAFE, PROTECTED = "Safe for load tests", "Protected from load tests"
_NOT_KNOWN = "stale_calendar"
_SUMMARIES = {
    "wedding": "Protected: wedding",
    "hold": "Protected: hold",
    _NOT_KNOWN: "Protected: the calendar is not known to be complete",
}


@dataclass(frozen=True, slots=True)
class Entry:
    uid: str
    start: datetime
    end: datetime
    summary: str
    description: str


def safe_entries(windows: Sequence[Window], *, duration: str) -> tuple[Entry, ...]:
    """`duration` is what each window is long enough for, as ISO 8601."""
    about = f"Long enough for a load test of {duration}."
    return tuple(
        Entry(_uid("safe", window.start.isoformat()), window.start, window.end, SAFE, about)
        for window in windows
    )


def protected_entries(spans: Sequence[Blocker], *, until: datetime) -> tuple[Entry, ...]:
    """A span without an end goes on to `until`, where the whole calendar ends."""
    return tuple(_protected(span, until) for span in spans)


def mark(entries: Sequence[Entry]) -> str:
    """An HTTP entity tag, weak because the stamp in each copy is that of its making."""
    return f'W/"{_digest(repr(entries))}"'


def write(entries: Sequence[Entry], *, name: str, now: datetime) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for entry in entries:
        calendar.add_component(_event(entry, now))
    return bytes(calendar.to_ical())


def _protected(span: Blocker, until: datetime) -> Entry:
    subject = span.what.partition(" from ")[0]  # "Protected for wedding 3", whenever it is
    summary = _SUMMARIES.get(span.rule)
    if summary is None:  # the weekday and where: each of its days is an entry of its own
        summary = subject.replace(" as ", ": ", 1)
        uid = _uid(subject, span.start.isoformat())
    else:
        uid = _uid(span.rule) if span.rule == _NOT_KNOWN else _uid(subject)
    return Entry(uid, span.start, span.end or until, summary, span.what)


def _event(entry: Entry, now: datetime) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", now)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("summary", entry.summary)
    event.add("description", entry.description)
    event.add("transp", "TRANSPARENT")  # it takes nobody's time
    return event


def _uid(*parts: str) -> str:
    """The same as long as the thing is the same, so that calendar programs move it."""
    return f"{_digest(' '.join(parts))}@load-tests.wedsync"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
