"""Schedules as people add, read and cancel them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from audit import services as audit
from calendar_guard import services as calendar_guard
from calendar_guard.rules import Verdict, verdict_from_json
from runs.asking import RunRefused, check
from runs.finding import find_plan, find_schedule
from runs.models import WAITING, Plan, Run, Schedule, State
from runs.outcome import Outcome
from runs.request import Invalid
from runs.waiting import queue, tending
from runs.waiting.occurrences import BadRule, BadZone, check_rule, find_zone, next_start
from runs.wording import ScheduleWord, run_word, schedule_word

LONGEST_AHEAD = timedelta(days=366)
SHOWN_STARTS = 3


@dataclass(frozen=True)
class Start:
    """A start to come, and what the calendar says to it today."""

    at: datetime
    verdict: Verdict


def schedule(
    *,
    by: User,
    plan_id: str,
    starts_at: datetime | None = None,
    rule: str = "",
    zone: str = "UTC",
    rolls: bool = False,
    now: datetime,
) -> ScheduleWord:
    """Start a plan at a time, by a rule, or without `starts_at` in the next safe window.

    Raises UnknownRun for the plan, Invalid, and RunRefused where the only start is forbidden.
    """
    plan = find_plan(plan_id)
    check_schedule(plan=plan, starts_at=starts_at, rule=rule, zone=zone, now=now)
    row = Schedule.objects.create(
        plan=plan,
        starts_at=starts_at,
        rule=rule,
        zone=zone,
        rolls=rolls or starts_at is None,
        created_by=by,
        created_at=now,
    )
    begin(row.pk, now=now)
    return schedule_word(find_schedule(str(row.pk)))


def begin(schedule_id: int, *, now: datetime) -> None:
    """Plan a new schedule's first run. Raises RunRefused where its only start is forbidden."""
    run = tending.plan_next(schedule_id, now=now)
    while run and Run.objects.filter(pk=run.pk, state=State.REFUSED).exists():
        run = tending.plan_next(schedule_id, now=now)
    row = Schedule.objects.get(pk=schedule_id)
    if run and not run.permit_id and not row.rule:
        verdict = verdict_from_json(run.calendar or {})
        queue.refuse(run, queue.Answer(False, verdict, verdict.reason), now=now)
        tending.end(row, verdict.reason)
        run.refresh_from_db()
        raise RunRefused(run_word(run), verdict)


def check_schedule(
    *, plan: Plan, starts_at: datetime | None, rule: str, zone: str, now: datetime
) -> None:
    """Raises Invalid for the first word that is wrong, also where the plan cannot be a test now."""
    check(plan.request)
    try:
        find_zone(zone)
        if starts_at is None:
            if rule:
                raise Invalid("starts_at", "A rule repeats from a first start; name it.")
            return
        if not now - LONGEST_AHEAD <= starts_at <= now + LONGEST_AHEAD:
            far = "ago; name a later one" if starts_at < now else "away; name an earlier one"
            raise Invalid("starts_at", f"That is more than a year {far}.")
        if rule:
            check_rule(rule=rule, starts_at=starts_at, zone=zone)
        earliest = now - tending.GRACE
        if next_start(rule=rule, starts_at=starts_at, zone=zone, after=earliest) is None:
            said = "That is over" if not rule else "All starts of this rule are over"
            raise Invalid("rule" if rule else "starts_at", f"{said}; name a later one.")
    except BadZone as error:
        raise Invalid("zone", str(error)) from None
    except BadRule as error:
        raise Invalid("rule", str(error)) from None


def next_starts(
    *, starts_at: datetime | None, rule: str, zone: str, duration: timedelta, now: datetime
) -> list[Start]:
    """The next three starts of a schedule and what the calendar says to each. Sends nothing."""
    if starts_at is None:
        window = calendar_guard.check(start=now, duration=duration, now=now).next_safe_window
        return [_start(window.start, duration, now)] if window else []
    found: list[Start] = []
    after = now
    while len(found) < SHOWN_STARTS:
        start = next_start(rule=rule, starts_at=starts_at, zone=zone, after=after)
        if start is None:
            break
        found.append(_start(start, duration, now))
        after = start
    return found


def list_schedules() -> list[ScheduleWord]:
    """Those that still start something by their next start, then the ended ones, latest first."""
    rows = list(Schedule.objects.select_related("plan", "created_by"))
    alive = sorted(
        (row for row in rows if not row.ended_why), key=lambda row: row.next_at or row.created_at
    )
    ended = sorted((row for row in rows if row.ended_why), key=lambda row: -row.pk)
    return [schedule_word(row) for row in (*alive, *ended)]


def get_schedule(*, schedule_id: str) -> ScheduleWord:
    """Raises UnknownSchedule."""
    return schedule_word(find_schedule(schedule_id))


def cancel_schedule(*, schedule_id: str, by: User, now: datetime) -> ScheduleWord:
    """End a schedule, and its run that has not begun; one that runs goes on. Idempotent."""
    row = find_schedule(schedule_id)
    why = f"Cancelled by {by.username}."
    with transaction.atomic():
        living = Schedule.objects.filter(pk=row.pk, ended_why="")
        if living.update(ended_why=why, next_at=None):
            audit.record(
                action="cancel",
                actor=by.username,
                subject=f"schedule {row.pk}",
                data={"plan": row.plan_id},
                now=now,
            )
    outcome = Outcome("aborted", f"Its schedule was cancelled by {by.username}.")
    for run in row.runs.filter(state__in=WAITING):
        if queue.end(run, outcome, by=by.username, now=now):
            _revoke(run, by.username, now)
    return schedule_word(find_schedule(schedule_id))


def _revoke(run: Run, by: str, now: datetime) -> None:
    run.refresh_from_db(fields=["permit_id"])  # it may have been let in at the same moment
    if run.permit_id:
        why = "the schedule was cancelled"
        calendar_guard.revoke(permit_id=run.permit_id, by=by, why=why, now=now)


def _start(at: datetime, duration: timedelta, now: datetime) -> Start:
    return Start(at, calendar_guard.check(start=at, duration=duration, now=now))
