"""The one way in which a run changes its state: compare-and-swap, and an entry of who and why.

Whoever holds several locks takes them in this order: queue, run, calendar, permit, audit.
"""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import services as audit
from runs.models import Run

ACTION = "move"
LONGEST_WHY = 500
CALENDAR = "calendar"


@dataclass(frozen=True)
class Move:
    """One step of a run's life; the first has no `of`."""

    at: datetime
    by: str
    of: str
    to: str
    why: str


def move(
    run_id: int, *, of: Iterable[str], to: str, by: str, why: str, now: datetime, **facts: Any
) -> bool:
    """Move a run out of one of these states, with the facts that go with it, or leave it alone.

    False means that someone else moved it first. `why` is kept for good: no couple's name in it.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, state__in=list(of))
        old = run.values_list("state", flat=True).first()
        if old is None or not Run.objects.filter(pk=run_id, state=old).update(state=to, **facts):
            return False
        _keep(run_id, of=old, to=to, by=by, why=why, now=now)
        return True


def begin(run: Run, *, by: str, why: str, now: datetime) -> None:
    """Save a run in its first state. After the calendar was asked: that comes before the audit."""
    with transaction.atomic():
        run.save()
        _keep(run.pk, of="", to=run.state, by=by, why=why, now=now)


def history(run_id: int) -> list[Move]:
    """The moves of a run, the first one first."""
    kept = audit.entries(action=ACTION, subject=_subject(run_id))
    return [
        Move(entry.at, entry.actor, entry.data["from"], entry.data["to"], entry.data["why"])
        for entry in reversed(kept)
    ]


def worker() -> str:
    """Who moves a run that a worker drives."""
    return f"worker on {socket.gethostname()}"


def _keep(run_id: int, *, of: str, to: str, by: str, why: str, now: datetime) -> None:
    facts = {"from": str(of), "to": str(to), "why": why[:LONGEST_WHY]}
    audit.record(action=ACTION, actor=by, subject=_subject(run_id), data=facts, now=now)


def _subject(run_id: int) -> str:
    return f"run {run_id}"
