"""Rows as words: what services tell of them, to people and programs."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Self

from clock.iso import format_duration
from runs.models import OPEN, WAITING, Plan, Run, Schedule, Target
from runs.waiting import queue


@dataclass(frozen=True)
class Word:
    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, row: object, **others: Any) -> Self:
        """With the row's own values, but for those that are given."""
        names = {field.name for field in fields(cls)} - others.keys()
        return cls(**{name: getattr(row, name) for name in names}, **others)


@dataclass(frozen=True)
class PlanWord(Word):
    id: str
    name: str
    tool: str
    target: str
    duration: str
    users: int | None
    thresholds: list[str]
    shards: int
    variables: dict[str, str]
    secrets: dict[str, str]
    hosts: dict[str, str]
    tags: list[str]
    notes: str
    baseline: str | None


@dataclass(frozen=True)
class RunWord(Word):
    """One run as told to people and programs; times and durations are ISO 8601.

    `plan` and `baseline` are ids: of its plan, and of the run that this plan is compared with.
    `tool_plan` is what the tool said it would do; `metrics` what it measured beside the requests.
    """

    id: str
    name: str
    tool: str
    tool_version: str
    latency_kind: str
    target: str
    state: str
    duration: str
    users: int | None
    thresholds: list[str]
    requested_by: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    verdict: dict[str, Any] | None
    calendar: dict[str, Any] | None
    totals: dict[str, Any] | None
    endpoints: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    breaches: list[dict[str, Any]]
    log_tail: str
    exit_code: int | None
    processes_left: int | None
    plan: str | None
    baseline: str | None
    site: str
    shards: int
    is_dry: bool
    scheduled_for: str | None
    queued_at: str | None
    queue_position: int | None
    tool_plan: dict[str, Any] | None
    tags: list[str]
    notes: str
    links: dict[str, str]

    @property
    def is_open(self) -> bool:
        """Not over yet: it waits, runs or is being stopped."""
        return self.state in OPEN


@dataclass(frozen=True)
class ScheduleWord(Word):
    """`run` is the one that comes next; without one, `ended_why` says why. Times are ISO 8601."""

    id: str
    plan: str
    plan_name: str
    starts_at: str | None
    rule: str
    zone: str
    rolls: bool
    next_at: str | None
    run: str | None
    ended_why: str
    created_by: str
    created_at: str


@dataclass(frozen=True)
class TargetWord(Word):
    """`hosts` are patterns; None is no cap; `max_duration` is ISO 8601."""

    id: str
    name: str
    hosts: list[str]
    environment: str
    max_users: int | None
    max_rate: int | None
    max_duration: str
    concurrency: int
    is_open: bool


def plan_word(plan: Plan) -> PlanWord:
    return PlanWord.of(
        plan,
        id=str(plan.pk),
        duration=format_duration(plan.duration),
        baseline=_id(plan.baseline_id),
    )


def run_word(run: Run) -> RunWord:
    api = f"/api/load-testing/runs/{run.pk}"
    return RunWord.of(
        run,
        id=str(run.pk),
        duration=format_duration(run.duration),
        requested_by=run.requested_by.get_username(),
        created_at=run.created_at.isoformat(),
        started_at=_iso(run.started_at),
        ended_at=_iso(run.ended_at),
        plan=_id(run.plan_id),
        baseline=_id(run.plan.baseline_id) if run.plan else None,
        scheduled_for=_iso(run.scheduled_for),
        queued_at=_iso(run.queued_at),
        queue_position=queue.position(run),
        links={
            "self": api,
            "metrics": f"{api}/metrics",
            "stream": f"/api/load-testing/stream/{run.pk}",
            "page": f"/runs/{run.pk}/",
        },
    )


def schedule_word(row: Schedule) -> ScheduleWord:
    run = row.runs.filter(state__in=WAITING).order_by("pk").first()
    return ScheduleWord.of(
        row,
        id=str(row.pk),
        plan=str(row.plan_id),
        plan_name=row.plan.name,
        starts_at=_iso(row.starts_at),
        next_at=_iso(row.next_at),
        run=str(run.pk) if run else None,
        created_by=row.created_by.username,
        created_at=row.created_at.isoformat(),
    )


def target_word(row: Target) -> TargetWord:
    return TargetWord.of(
        row,
        id=str(row.pk),
        hosts=list(map(str, row.hosts)),
        max_duration=format_duration(row.max_duration),
    )


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _id(key: int | None) -> str | None:
    return None if key is None else str(key)
