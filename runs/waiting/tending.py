"""Plans that the clock starts. What comes next is always one run, known to the calendar before.

A run that is scheduled holds a permit for its time to come; when it is due, the calendar is asked
again. What the calendar forbids is skipped, and rolls to the next safe window where it may.
"""

from datetime import datetime, timedelta

from django.db.models import Q

import clock
from calendar_guard import services as calendar_guard
from runs import moves
from runs.asking import check
from runs.models import WAITING, Run, Schedule, State
from runs.moves import LONGEST_WHY
from runs.outcome import Outcome
from runs.persisting import apart
from runs.request import Invalid, Request
from runs.targets import Admitted
from runs.waiting import queue
from runs.waiting.occurrences import BadRule, BadZone, next_start
from runs.words import span

# A start that nobody was there to make is made up for within this time, and no later.
GRACE = timedelta(minutes=5)
MOST_ROLLS = 5
_DUE = "schedule"


class _NoStart(Exception):
    """A run that is due does not start; the outcome says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def tend(*, now: datetime) -> list[int]:
    """Start what is due and plan what comes next: the ids of runs that are waiting now."""
    queue.call_off(now=now)
    is_due = Q(scheduled_for__lte=now) | Q(schedule=None) | Q(plan=None)
    due = Run.objects.filter(is_due, state=State.SCHEDULED).order_by("scheduled_for")
    begun = []
    for pk in list(due.values_list("pk", flat=True)):
        with apart(f"starting run {pk}"):
            begun += [pk] if _begin(pk, now) else []
    alive = Schedule.objects.filter(ended_why="").exclude(runs__state__in=WAITING)
    for pk in alive.values_list("pk", flat=True):
        with apart(f"planning the next run of schedule {pk}"):
            plan_next(pk, now=now)
    return begun


def plan_next(schedule_id: int, *, now: datetime) -> Run | None:
    """The next run of a schedule, or the reason why there is none any more in `ended_why`."""
    with queue.queue_lock():
        living = Schedule.objects.select_for_update().filter(pk=schedule_id, ended_why="")
        schedule = living.first()
        if schedule is None or schedule.runs.filter(state__in=WAITING).exists():
            return None
        last = schedule.runs.order_by("scheduled_for", "pk").last()
        try:
            start, rolled_from = _next(schedule, last, now)
        except (BadRule, BadZone) as error:
            end(schedule, str(error))
            return None
        if start is None:
            end(schedule, _why_it_ends(schedule, last))
            return None
        return _plan(schedule, start, rolled_from, now)


def end(schedule: Schedule, why: str) -> None:
    """It starts nothing any more."""
    schedule.next_at, schedule.ended_why = None, why[:LONGEST_WHY]
    schedule.save(update_fields=["next_at", "ended_why"])


def _next(
    schedule: Schedule, last: Run | None, now: datetime
) -> tuple[datetime | None, Run | None]:
    """When, and from which run that was forbidden it rolls there."""
    if last and _rolls(schedule, last):
        window = _safe_from(max(now, last.scheduled_for or now), last.duration, now)
        if window:
            return window, last
    if schedule.starts_at is None:
        return (None if last else _safe_from(now, schedule.plan.duration, now)), None
    # The first start may be a few minutes ago; a later one comes after all that was planned.
    after = max(now, last.scheduled_for) if last and last.scheduled_for else now - GRACE
    start = next_start(
        rule=schedule.rule, starts_at=schedule.starts_at, zone=schedule.zone, after=after
    )
    return start, None


def _rolls(schedule: Schedule, last: Run) -> bool:
    forbidden = last.state == State.REFUSED and not (last.calendar or {}).get("safe", True)
    return schedule.rolls and forbidden and _rolled(last) < MOST_ROLLS


def _rolled(run: Run) -> int:
    """How often it has rolled already."""
    times, earlier = 0, run.rolled_from
    while earlier and times < MOST_ROLLS:
        times, earlier = times + 1, earlier.rolled_from
    return times


def _safe_from(start: datetime, duration: timedelta, now: datetime) -> datetime | None:
    window = calendar_guard.check(start=start, duration=duration, now=now).next_safe_window
    return window.start if window else None


def _plan(schedule: Schedule, start: datetime, rolled_from: Run | None, now: datetime) -> Run:
    by = schedule.created_by.username
    run = Run(
        **vars(schedule.plan.request),
        plan=schedule.plan,
        schedule=schedule,
        rolled_from=rolled_from,
        state=State.SCHEDULED,
        requested_by=schedule.created_by,
        created_at=now,
        scheduled_for=start,
        heartbeat_at=clock.real_now(),
    )
    run.save()
    answer = queue.ask(run, start=start, by=by, now=now)
    moves.begin(run, by=by, why=_why_it_is_planned(schedule, rolled_from), now=now)
    # Where nothing at all is safe there is no window to roll to: it is asked again when it is due.
    if not answer.safe and schedule.rolls and answer.verdict.next_safe_window:
        queue.refuse(run, answer, now=now)
    schedule.next_at = start
    schedule.save(update_fields=["next_at"])
    return run


def _begin(run_id: int, now: datetime) -> bool:
    """Let in a run that is due, or say why not. A target is looked up before anything is locked."""
    run = Run.objects.select_related("plan").get(pk=run_id)
    try:
        request, admitted = _look(run, now)
    except _NoStart as no:
        if queue.end(run, no.outcome, by=_DUE, now=now) and run.permit_id:
            calendar_guard.give_back(permit_id=run.permit_id, now=now)
        return False
    with queue.queue_lock():
        return _let_in(run_id, request, admitted, now)


def _look(run: Run, now: datetime) -> tuple[Request, Admitted]:
    """The plan as it is today, and what its target allows it."""
    if run.schedule_id is None or run.plan is None or run.scheduled_for is None:
        raise _NoStart(Outcome("aborted", "Its schedule or its plan was deleted."))
    late = now - run.scheduled_for
    if late > GRACE:
        ago = span(late - late % timedelta(minutes=1))
        missed = f"It was due {ago} ago, when nothing here could start it."
        raise _NoStart(Outcome("refused", missed))
    request = run.plan.request
    try:
        return request, check(request)
    except Invalid as error:
        raise _NoStart(Outcome("refused", str(error))) from None


def _let_in(run_id: int, request: Request, admitted: Admitted, now: datetime) -> bool:
    run = Run.objects.select_for_update().filter(pk=run_id, state=State.SCHEDULED).first()
    if run is None:
        return False
    for name, value in vars(request).items():
        setattr(run, name, value)
    run.site, run.allowed_by_id = admitted.site, admitted.target_id
    by = run.requested_by.username
    answer = queue.enter(run, slots=admitted.concurrency, by=by, now=now)
    if not answer.safe:
        queue.refuse(run, answer, now=now)
        return False
    wanted = (*vars(request), "site", "allowed_by_id", "queued_at", "permit_id", "calendar")
    return moves.move(
        run.pk,
        of=[State.SCHEDULED],
        to=run.state,
        by=by,
        why=f"schedule {run.schedule_id} was due",
        now=now,
        heartbeat_at=clock.real_now(),
        **{name: getattr(run, name) for name in wanted},
    )


def _why_it_ends(schedule: Schedule, last: Run | None) -> str:
    if last is None:
        return f"No time is safe for {span(schedule.plan.duration)}; ask the coordinator."
    if last.state == State.REFUSED:
        said = (last.verdict or {}).get("reason", "the calendar said no")
        return f"Its last start, run {last.pk}, was skipped: {said}"
    return f"Run {last.pk} was its last."


def _why_it_is_planned(schedule: Schedule, rolled_from: Run | None) -> str:
    if rolled_from:
        return f"schedule {schedule.pk} rolls from run {rolled_from.pk} to the next safe window"
    return f"the next start of schedule {schedule.pk}"
