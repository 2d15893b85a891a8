"""What Django's admin registers of runs."""

from runs.admin.plans import PlanAdmin
from runs.admin.runs import RunAdmin
from runs.admin.schedules import ScheduleAdmin
from runs.admin.targets import TargetAdmin

__all__ = ["PlanAdmin", "RunAdmin", "ScheduleAdmin", "TargetAdmin"]
