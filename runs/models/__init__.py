"""What stays of a load test: plan, target, schedule, the run, its shards and seconds."""

from runs.models.recipes import MOST_SHARDS, Plan, Recipe
from runs.models.runs import GOING, HELD_BY_A_WORKER, OPEN, WAITING, Run, State
from runs.models.schedules import Schedule
from runs.models.seconds import Snapshot
from runs.models.shards import Shard, ShardSecond
from runs.models.targets import Target

__all__ = [
    "GOING",
    "HELD_BY_A_WORKER",
    "MOST_SHARDS",
    "OPEN",
    "WAITING",
    "Plan",
    "Recipe",
    "Run",
    "Schedule",
    "Shard",
    "ShardSecond",
    "Snapshot",
    "State",
    "Target",
]
