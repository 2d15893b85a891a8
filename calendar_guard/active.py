"""Whose day it is: the weddings under way and who coordinates them, as frozen words.

Titles and names are for the people who keep a wedding safe. They belong in no metric and no log.
"""

from dataclasses import dataclass
from datetime import datetime

from calendar_guard.models import Coordinator, Wedding
from calendar_guard.reading import rows_near
from calendar_guard.words import WeddingSpan, Window


@dataclass(frozen=True, slots=True)
class CoordinatorWord:
    name: str
    email: str
    phone: str
    slack_id: str
    language: str


@dataclass(frozen=True, slots=True)
class ActiveWedding:
    id: int
    title: str
    venue: str
    zone: str
    status: str
    starts_at: datetime
    ends_at: datetime
    protected: Window
    guests: int | None
    coordinators: tuple[CoordinatorWord, ...]


def active_weddings(*, now: datetime) -> tuple[ActiveWedding, ...]:
    """Those that are protected right now, set-up and tear-down included, by start."""
    spans = {row[0]: WeddingSpan(*row).protection(now) for row in rows_near(now)}
    active = {pk: span for pk, span in spans.items() if span and span.start <= now < span.end}
    rows = Wedding.objects.prefetch_related("coordinators").in_bulk(active)
    found = (_word(wedding, active[pk]) for pk, wedding in rows.items())
    return tuple(sorted(found, key=lambda wedding: (wedding.starts_at, wedding.id)))


def _word(wedding: Wedding, protected: Window) -> ActiveWedding:
    return ActiveWedding(
        id=wedding.pk,
        title=wedding.title,
        venue=wedding.venue,
        zone=wedding.zone,
        status=wedding.status,
        starts_at=wedding.starts_at,
        ends_at=wedding.ends_at,
        protected=protected,
        guests=wedding.guests,
        coordinators=tuple(_person(person) for person in wedding.coordinators.all()),
    )


def _person(person: Coordinator) -> CoordinatorWord:
    return CoordinatorWord(
        name=person.name,
        email=person.email,
        phone=person.phone,
        slack_id=person.slack_id,
        language=person.language,
    )
