"""What stays of a load test: plan, target, schedule, the run and its seconds."""

from runs.models.recipes import Plan, Recipe
from runs.models.runs import HELD_BY_A_WORKER, OPEN, WAITING, Run, RunQuerySet, State
from runs.models.schedules import Schedule
from runs.models.seconds import Snapshot
from runs.models.targets import Target

__all__ = [
    "HELD_BY_A_WORKER",
    "OPEN",
    "WAITING",
    "Plan",
    "Recipe",
    "Run",
    "RunQuerySet",
    "Schedule",
    "Snapshot",
    "State",
    "Target",
]
