"""Tests of one site wait for each other; the rows are the queue, the oldest of them is next.

A run that waits holds a permit for the latest moment at which it can still begin, so that a
wedding saved meanwhile shows it and calls it off. The calendar is asked again when it is let in.
"""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.rules import Verdict
from runs import moves, targets
from runs.models import HELD_BY_A_WORKER, Run, State
from runs.outcome import Outcome
from runs.request import Invalid

KEY = 0x57ED0002
_OCCUPIES = (State.REQUESTED, *HELD_BY_A_WORKER)


@dataclass(frozen=True)
class Answer:
    """What the calendar says to a run: `why` is the sentence of a no, `by` is who said it."""

    safe: bool
    verdict: Verdict
    why: str = ""
    by: str = moves.CALENDAR


@contextmanager
def queue_lock() -> Iterator[None]:
    """A transaction that nobody else lets runs in beside; see `calendar_guard.lock`."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEY])
        yield


def enter(run: Run, *, slots: int, by: str, now: datetime) -> Answer:
    """Inside the lock, for a run with a row: ask for its permit and set whether it must wait."""
    occupied, ahead = list(_occupying(run.site).exclude(pk=run.pk)), list(_queued(run.site))
    if not ahead and len(occupied) < slots:
        run.state = State.REQUESTED
        return ask(run, start=now, by=by, now=now)
    run.state, run.queued_at = State.QUEUED, now
    ends = [(other.started_at or now) + other.duration for other in occupied]
    worst = worst_start(ends, [other.duration for other in ahead], slots=slots, now=now)
    return ask(run, start=min(worst, _latest_start(run, now)), by=by, now=now)


def worst_start(
    ends: Sequence[datetime], ahead: Sequence[timedelta], *, slots: int, now: datetime
) -> datetime:
    """When a test begins if all that run, and all that wait before it, take as long as they may."""
    busy = heapq.nlargest(slots, (max(end, now) for end in ends))
    heapq.heapify(busy)
    for duration in ahead:
        begin = heapq.heappop(busy) if len(busy) >= slots else now
        heapq.heappush(busy, begin + duration)
    return busy[0] if len(busy) >= slots else now


def ask(run: Run, *, start: datetime, by: str, now: datetime) -> Answer:
    """Ask the calendar for a start, and keep what it says in the run, which is not saved."""
    answer = _move_permit(run, start, now) if run.permit_id else _grant(run, start, by, now)
    run.calendar = answer.verdict.as_json()
    return answer


def refuse(run: Run, answer: Answer, *, now: datetime) -> bool:
    """End a run that waits: refused by the calendar, aborted where a person took its permit."""
    outcome = Outcome("refused", answer.why)
    if answer.by != moves.CALENDAR:
        outcome = Outcome("aborted", f"Stopped by {answer.by} before it began: {answer.why}.")
    return end(run, outcome, by=answer.by, now=now, calendar=answer.verdict.as_json())


def end(run: Run, outcome: Outcome, *, by: str, now: datetime, **facts: Any) -> bool:
    """End a run that no worker holds; False when it was moved meanwhile."""
    return moves.move(
        run.pk,
        of=[State.SCHEDULED, State.QUEUED, State.REQUESTED],
        to=outcome.outcome,
        by=by,
        why=outcome.reason,
        now=now,
        verdict=outcome.as_json(),
        ended_at=now,
        processes_left=0,
        **facts,
    )


def let_in(*, now: datetime) -> list[int]:
    """Move whoever may begin now from the queue to the workers: the ids to hurry along."""
    queued = Run.objects.filter(state=State.QUEUED)
    found = []
    for site in queued.order_by("site").values_list("site", flat=True).distinct():
        while (run := _queued(site).first()) and _is_free(site, slots := _slots(run)):
            if _let_in_one(run.pk, slots, now):
                found.append(run.pk)
    return found


def call_off(*, now: datetime) -> None:
    """End those that wait with a permit which was taken away."""
    waiting = Run.objects.filter(state__in=[State.SCHEDULED, State.QUEUED])
    by_permit = {run.permit_id: run for run in waiting.exclude(permit_id=None)}
    for permit in calendar_guard.revoked(permit_ids=[pk for pk in by_permit if pk]):
        why = permit.revoked_why
        refuse(by_permit[permit.id], Answer(False, permit.verdict, why, permit.revoked_by), now=now)


def position(run: Run) -> int | None:
    """Its place among those that wait for the site, from 1; None when it does not wait there."""
    if run.state != State.QUEUED:
        return None
    before = Q(queued_at__lt=run.queued_at) | Q(queued_at=run.queued_at, pk__lt=run.pk)
    return _queued(run.site).filter(before).count() + 1


def _let_in_one(run_id: int, slots: int, now: datetime) -> bool:
    with queue_lock():
        run = Run.objects.select_for_update().filter(pk=run_id, state=State.QUEUED).first()
        if run is None or not _is_free(run.site, slots):
            return False
        answer = ask(run, start=now, by=moves.CALENDAR, now=now)
        if not answer.safe:
            refuse(run, answer, now=now)
            return False
        return moves.move(
            run.pk,
            of=[State.QUEUED],
            to=State.REQUESTED,
            by="queue",
            why=f"{run.site} is free",
            now=now,
            calendar=run.calendar,
            heartbeat_at=clock.real_now(),
        )


def _occupying(site: str) -> QuerySet[Run]:
    return Run.objects.filter(site=site, state__in=_OCCUPIES, is_dry=False)


def _queued(site: str) -> QuerySet[Run]:
    return Run.objects.filter(site=site, state=State.QUEUED).order_by("queued_at", "pk")


def _slots(run: Run) -> int:
    """How many at a time its targets allow today; one alone is let in that they allow no more.

    Its worker asks them again, and ends it with why not. Names are resolved here, so outside the
    lock.
    """
    try:
        return targets.admit(run.request).concurrency
    except Invalid:
        return 1


def _is_free(site: str, slots: int) -> bool:
    return _occupying(site).count() < slots


def _latest_start(run: Run, now: datetime) -> datetime:
    """How late a run that may begin now may begin; now where it may not begin at all."""
    verdict = calendar_guard.check(start=now, duration=run.duration, now=now)
    window = verdict.next_safe_window
    return max(now, window.end - run.duration) if verdict.safe and window else now


def _grant(run: Run, start: datetime, by: str, now: datetime) -> Answer:
    try:
        permit = calendar_guard.grant(
            start=start,
            duration=run.duration,
            target=run.target,
            label=run.name,
            link=f"/runs/{run.pk}/",
            run_id=str(run.pk),
            by=by,
            now=now,
        )
    except calendar_guard.Refused as refusal:
        return Answer(False, refusal.verdict, refusal.verdict.reason)
    run.permit_id = permit.id
    return Answer(True, permit.verdict)


def _move_permit(run: Run, start: datetime, now: datetime) -> Answer:
    assert run.permit_id  # noqa: S101 - its only caller has looked
    moved = calendar_guard.move(
        permit_id=run.permit_id, start=start, duration=run.duration, now=now
    )
    if moved.safe:
        return Answer(True, moved.verdict)
    is_ours = moved.revoked_by == moves.CALENDAR
    why = moved.verdict.reason if is_ours and not moved.verdict.safe else moved.revoked_why
    return Answer(False, moved.verdict, why, moved.revoked_by)
