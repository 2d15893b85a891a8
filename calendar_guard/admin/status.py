""" "Still going" and "Completed now": what each may be pressed on, and what it comes to."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from calendar_guard import writing, zones
from calendar_guard.models import Wedding
from calendar_guard.permits import PermitWord

STILL_GOING, COMPLETED_NOW = VERBS = ("still-going", "completed-now")
_STATUS = {STILL_GOING: Wedding.Status.LIVE, COMPLETED_NOW: Wedding.Status.COMPLETED}
MOST_SAID = 10
_OFF = {Wedding.Status.CANCELLED}
_DONE = {Wedding.Status.CANCELLED, Wedding.Status.COMPLETED}


def may(wedding: Wedding, verb: str, now: datetime) -> bool:
    """Only on what has begun."""
    if verb == STILL_GOING:
        return wedding.status not in _OFF and wedding.may_go_on(now)
    return wedding.status not in _DONE and wedding.may_be_over(now)


def set_all(weddings: Sequence[Wedding], verb: str, *, by: str, now: datetime) -> list[PermitWord]:
    """One write for all, in the lock under which they were read."""
    for wedding in weddings:
        wedding.status = _STATUS[verb]
    return writing.write_weddings(save=weddings, by=by, now=now) if weddings else []


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
    if wedding.status == Wedding.Status.LIVE:
        return "protected until somebody completes it."
    if wedding.guarded_until <= max(now, wedding.guarded_from):
        return f"{wedding.status}, and protected no more."
    ends = zones.spoken(wedding.guarded_until, wedding.zone)
    if wedding.guarded_from <= now:
        return f"{wedding.status}, and protected until {ends}."
    starts = zones.spoken(wedding.guarded_from, wedding.zone)
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
