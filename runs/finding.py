"""Rows by the ids that people and programs write."""

from runs.models import Plan, Run, Schedule

# SQLite's integers end at 2**63; a longer id cannot exist.
_LONGEST_ID = 18


class UnknownRun(LookupError):
    """No run, or no plan, has this id."""


class UnknownSchedule(LookupError):
    """No schedule has this id."""


def find_run(run_id: str) -> Run:
    known = Run.objects.select_related("requested_by", "plan")
    run = known.filter(pk=read_id(run_id)).first()
    if run is None:
        raise UnknownRun(f"There is no run {run_id}; GET /api/load-testing/runs lists them.")
    return run


def find_plan(plan_id: str) -> Plan:
    plan = Plan.objects.filter(pk=read_id(plan_id)).first()
    if plan is None:
        raise UnknownRun(f"There is no plan {plan_id!r}; GET /api/load-testing/plans lists them.")
    return plan


def find_schedule(schedule_id: str) -> Schedule:
    known = Schedule.objects.select_related("plan", "created_by")
    schedule = known.filter(pk=read_id(schedule_id)).first()
    if schedule is None:
        raise UnknownSchedule(
            f"There is no schedule {schedule_id}; GET /api/load-testing/schedules lists them."
        )
    return schedule


def read_id(text: str) -> int:
    """0, which no row has, where the text cannot be an id."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID
    return int(text) if is_one else 0
