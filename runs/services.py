"""What others may ask of runs: start one, stop one, read them. Words, never models."""

from runs import moves
from runs.asking import KeyReused, RunRefused, check
from runs.finding import UnknownRun, UnknownSchedule, find_plan, find_run
from runs.models import Plan, State, Target
from runs.moves import Move
from runs.past.comparing import Comparison
from runs.past.history import TrendPoint, compare, metrics, previous, set_baseline, trend
from runs.past.listing import list_runs
from runs.past.notes import annotate, read_tags
from runs.planning import StillScheduled, add_plan, change_plan, delete_plan
from runs.request import Invalid, Request
from runs.starting import dry_run, start
from runs.stopping import stop, stop_all
from runs.tools import tool_names
from runs.waiting.schedules import cancel_schedule, get_schedule, list_schedules, schedule
from runs.wording import (
    PlanWord,
    RunWord,
    ScheduleWord,
    TargetWord,
    plan_word,
    run_word,
    target_word,
)

STATES = tuple(map(str, State.values))


def get_run(*, run_id: str) -> RunWord:
    return run_word(find_run(run_id))


def list_moves(*, run_id: str) -> list[Move]:
    """Every move of a run with who and why, the first one first. Raises UnknownRun."""
    return moves.history(find_run(run_id).pk)


def get_plan(*, plan_id: str) -> PlanWord:
    """Raises UnknownRun."""
    return plan_word(find_plan(plan_id))


def list_plans() -> list[PlanWord]:
    return [plan_word(plan) for plan in Plan.objects.all()]


def list_targets() -> list[TargetWord]:
    """Whom load tests may reach, and how hard."""
    return [target_word(target) for target in Target.objects.all()]


def request_of_plan(*, plan_id: str) -> Request:
    """A saved plan as a request. Raises UnknownRun."""
    return find_plan(plan_id).request


def request_of_run(*, run_id: str) -> Request:
    """The request behind a run, to be asked again. Raises UnknownRun."""
    return find_run(run_id).request
