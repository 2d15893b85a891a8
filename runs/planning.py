"""Saved plans: added, changed, deleted. The audit hears which words changed, not what they say."""

from dataclasses import asdict
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from audit import services as audit
from runs.asking import check
from runs.finding import find_plan
from runs.models import Plan
from runs.request import Request
from runs.wording import PlanWord, plan_word


class StillScheduled(Exception):
    """A schedule still starts this plan."""


def add_plan(*, by: User, request: Request, now: datetime) -> PlanWord:
    """Raises Invalid."""
    check(request)
    with transaction.atomic():
        plan = Plan.objects.create(**asdict(request), created_by=by, created_at=now)
        _keep("add", plan.pk, by.get_username(), now)
    return plan_word(plan)


def change_plan(*, plan_id: str, request: Request, by: str, now: datetime) -> PlanWord:
    """Its runs, also those that wait, keep what they have. Raises UnknownRun or Invalid."""
    plan = find_plan(plan_id)
    old, new = asdict(plan.request), asdict(request)
    if changed := [name for name, value in new.items() if old[name] != value]:
        check(request)
        with transaction.atomic():
            Plan.objects.filter(pk=plan.pk).update(**{name: new[name] for name in changed})
            _keep("change", plan.pk, by, now, changed=changed)
    return plan_word(find_plan(plan_id))


def delete_plan(*, plan_id: str, by: str, now: datetime) -> None:
    """Its runs stay, without a plan. Raises UnknownRun or StillScheduled."""
    pk = find_plan(plan_id).pk
    with transaction.atomic():
        plan = Plan.objects.select_for_update().filter(pk=pk).first()
        if plan is None:  # somebody deleted it at the same moment
            return
        if living := plan.schedules.filter(ended_why="").first():
            raise StillScheduled(
                f"Schedule {living.pk} still starts plan {pk}; cancel it first: "
                f"DELETE /api/load-testing/schedules/{living.pk}."
            )
        plan.delete()
        _keep("delete", pk, by, now)


def _keep(action: str, plan_id: int, by: str, now: datetime, **data: object) -> None:
    audit.record(action=action, actor=by, subject=f"plan {plan_id}", data=data, now=now)
