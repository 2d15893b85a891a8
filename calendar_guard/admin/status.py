""" "Still going" and "Completed now": what each may be pressed on, and what it comes to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from calendar_guard import reading, rules, writing, zones
from calendar_guard.models import Wedding
from calendar_guard.permits import PermitWord

STILL_GOING, COMPLETED_NOW = VERBS = ("still-going", "completed-now")
MOST_SAID = 10
_OFF = {Wedding.Status.CANCELLED}
_DONE = {Wedding.Status.CANCELLED, Wedding.Status.COMPLETED}


def may(wedding: Wedding, verb: str, now: datetime) -> bool:
    """Only on what has begun: pressed by mistake, one would protect for weeks, one nothing."""
    if verb == STILL_GOING:
        return wedding.status not in _OFF and wedding.starts_at - wedding.setup <= now
    return wedding.status not in _DONE and wedding.starts_at <= now


def span_after(wedding: Wedding, verb: str, now: datetime) -> rules.WeddingSpan:
    status = Wedding.Status.LIVE if verb == STILL_GOING else Wedding.Status.COMPLETED
    return replace(reading.span_of(wedding, now), status=status)


def set_all(weddings: Iterable[Wedding], verb: str, *, by: str, now: datetime) -> list[PermitWord]:
    set_one = writing.still_going if verb == STILL_GOING else writing.complete
    return [test for one in weddings for test in set_one(wedding_id=one.pk, by=by, now=now)]


def said(
    weddings: Iterable[Wedding], done: Sequence[Wedding], verb: str, now: datetime
) -> Iterator[str]:
    """A sentence for each wedding that was chosen, up to ten; `weddings` as they are now."""
    pressed = {wedding.pk for wedding in done}
    for number, wedding in enumerate(weddings):
        if number == MOST_SAID:
            yield "The others are in the list."
            return
        if wedding.pk in pressed:
            yield f"“{wedding.title}”: {protection(wedding, now)}"
        else:
            yield f"“{wedding.title}” stays as it is: {_why_not(wedding, now)}"


def protection(wedding: Wedding, now: datetime) -> str:
    span = reading.span_of(wedding, now).protection(now)
    if wedding.status == Wedding.Status.LIVE:
        return "protected until somebody completes it."
    if span is None or span.end <= now:
        return f"{wedding.status}, and protected no more."
    ends = zones.spoken(span.end, wedding.zone)
    if span.start <= now:
        return f"{wedding.status}, and protected until {ends}."
    starts = zones.spoken(span.start, wedding.zone)
    return f"{wedding.status}, and protected from {starts} until {ends}."


def panel(wedding: Wedding, now: datetime) -> dict[str, Any]:
    """What the change page shows above its form."""
    live = wedding.status == Wedding.Status.LIVE
    return {
        "protection": protection(wedding, now),
        "may_still_go": not live and may(wedding, STILL_GOING, now),
        "may_complete": may(wedding, COMPLETED_NOW, now),
    }


def _why_not(wedding: Wedding, now: datetime) -> str:
    if wedding.status in _DONE and wedding.starts_at <= now:
        return f"it is {wedding.status}."
    return f"it is {wedding.status} and begins {zones.spoken(wedding.starts_at, wedding.zone)}."
