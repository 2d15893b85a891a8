"""A wedding in words, as the API and CSV files have it: JSON types in, validated facts out.

Times are what the clock at the venue shows, without an offset; spans are ISO 8601 durations.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError

from calendar_guard import lasting, zones
from calendar_guard.models import (
    FIRST,
    LAST,
    LONGEST_MARGIN,
    Wedding,
    validate_zone,
)
from calendar_guard.plain import clean, shown, some
from calendar_guard.weddings.people_words import (
    CoordinatorFacts,
    person_facts,
    read_coordinators,
    write_coordinator,
)
from calendar_guard.writing import Invalid
from clock.iso import format_duration, parse_duration

REQUIRED = ("title", "zone", "starts_at", "ends_at")
READ_ONLY = ("id", "starts_at_utc", "ends_at_utc", "protected")
LONGEST_NOTES, MOST_GUESTS = 10_000, 100_000

Readers = Mapping[str, Callable[[Any], Any]]
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", re.ASCII)
_NEW = Wedding()


class WrongWords(Invalid):
    """All that is wrong with one wedding: `errors` has a sentence for each wrong word."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        first = next(iter(errors))
        super().__init__(first, errors[first])
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class WeddingFacts:
    """Local times are naive. `given` are the words that were said; the others are defaults."""

    title: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    venue: str = ""
    setup: timedelta = _NEW.setup
    teardown: timedelta = _NEW.teardown
    guests: int | None = None
    status: str = str(_NEW.status)
    coordinators: tuple[CoordinatorFacts, ...] = ()
    notes: str = ""
    source: str = ""
    uid: str = ""
    given: frozenset[str] = field(default=frozenset(), compare=False)


WORDS = tuple(one.name for one in fields(WeddingFacts) if one.name != "given")


def read_wedding(words: Mapping[str, Any], base: WeddingFacts | None = None) -> WeddingFacts:
    """Raises WrongWords. What is not said is as in `base`, else the default.

    Read-only words are passed over, so that what was read may be sent back.
    """
    errors = {
        shown(name): f"There is no such word; known are {', '.join(WORDS)}."
        for name in words
        if name not in WORDS and name not in READ_ONLY
    }
    found = {name: getattr(base, name) for name in WORDS} if base else {}
    _read(words, _READERS, found, errors)
    local = partial(_local, zone=found.get("zone", ""))
    _read(words, {"starts_at": local, "ends_at": local}, found, errors)
    if not errors and (refusal := _refuse_times(**found)):
        errors["ends_at"] = refusal
    if errors:
        raise WrongWords(errors)
    return WeddingFacts(**found, given=frozenset(words) & frozenset(WORDS))


def write_wedding(facts: WeddingFacts) -> dict[str, Any]:
    """The words that `read_wedding` reads."""
    return {
        "title": facts.title,
        "venue": facts.venue,
        "zone": facts.zone,
        "starts_at": facts.starts_at.isoformat(),
        "ends_at": facts.ends_at.isoformat(),
        "setup": format_duration(facts.setup),
        "teardown": format_duration(facts.teardown),
        "guests": facts.guests,
        "status": facts.status,
        "coordinators": [write_coordinator(person) for person in facts.coordinators],
        "notes": facts.notes,
        "source": facts.source,
        "uid": facts.uid,
    }


def write_kept(wedding: Wedding) -> dict[str, Any]:
    """A wedding's row in words, with what follows from them. Reads its coordinators."""
    return {
        "id": wedding.pk,
        **write_wedding(facts_of(wedding)),
        "starts_at_utc": zones.utc(wedding.starts_at).isoformat(),
        "ends_at_utc": zones.utc(wedding.ends_at).isoformat(),
        "protected": _protected(wedding),
    }


def facts_of(wedding: Wedding) -> WeddingFacts:
    return WeddingFacts(
        title=wedding.title,
        venue=wedding.venue,
        zone=wedding.zone,
        starts_at=datetime.fromisoformat(wedding.wall_start),
        ends_at=datetime.fromisoformat(wedding.wall_end),
        setup=wedding.setup,
        teardown=wedding.teardown,
        guests=wedding.guests,
        status=str(wedding.status),
        coordinators=tuple(person_facts(person) for person in wedding.coordinators.all()),
        notes=wedding.notes,
        source=wedding.source,
        uid=wedding.uid,
    )


def _read(
    words: Mapping[str, Any], readers: Readers, found: dict[str, Any], errors: dict[str, str]
) -> None:
    for name, read in readers.items():
        if name in words:
            try:
                found[name] = read(words[name])
            except ValueError as error:
                errors[name] = str(error)
        elif name in REQUIRED and name not in found:
            errors[name] = "A wedding needs this word."


def _protected(wedding: Wedding) -> dict[str, str | None] | None:
    """None where nothing is; a live wedding's end nobody knows yet."""
    if wedding.guarded_from >= wedding.guarded_until:
        return None
    is_live = wedding.status == Wedding.Status.LIVE
    until = None if is_live else zones.utc(wedding.guarded_until).isoformat()
    return {"from": zones.utc(wedding.guarded_from).isoformat(), "until": until}


def read_zone(value: object) -> str:
    name = some(value, longest=64)
    try:
        validate_zone(name)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from None
    return name


def _margin(value: object) -> timedelta:
    span = parse_duration(clean(value, longest=64))
    if span > LONGEST_MARGIN:
        raise ValueError(f"This cannot be longer than {LONGEST_MARGIN.days} days.")
    return span


def _guests(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_GUESTS:
        raise ValueError(f"Guests are a whole number from 0 to {MOST_GUESTS:,}, or null.")
    return value


def read_status(value: object) -> str:
    known = [str(status) for status in Wedding.Status.values]
    if value not in known:
        raise ValueError(f"{shown(value)} is no status; known are {', '.join(known)}.")
    return str(value)


def _local(value: object, *, zone: str) -> datetime:
    text = clean(value, longest=64)
    if not _LOCAL.fullmatch(text):
        raise ValueError(_not_local(text, zone))
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is on no calendar.") from None
    if not FIRST.year < local.year < LAST.year - 1:
        raise ValueError(f"Write a year between {FIRST.year + 1} and {LAST.year - 2}.")
    return local


def _not_local(text: str, zone: str) -> str:
    """An instant is shown as the venue's clock shows it, where the zone is known."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError
        local = zones.local_text(instant, zones.find(zone))
    except (ValueError, OverflowError):
        said = "is not a local time; write what the venue's clock shows"
        return f"{shown(text)} {said}, without an offset: 2026-06-13T14:00:00."
    return f"{shown(text)} has an offset; write what the venue's clock shows: {local}."


def _refuse_times(*, starts_at: datetime, ends_at: datetime, zone: str, **others: Any) -> str:
    begins, ends = zones.earliest(starts_at, zone), zones.latest(ends_at, zone)
    return lasting.refuse(begins, ends, zone)


_READERS: Readers = {
    "title": partial(some, longest=200),
    "venue": partial(clean, longest=200),
    "zone": read_zone,
    "setup": _margin,
    "teardown": _margin,
    "guests": _guests,
    "status": read_status,
    "coordinators": read_coordinators,
    "notes": partial(clean, longest=LONGEST_NOTES, lines=True),
    "source": partial(clean, longest=100),
    "uid": partial(clean, longest=255),
}
