"""A run in words: what the API, the pages and the command line say of it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from clock.iso import format_duration
from runs.models import OPEN, Plan, Run
from runs.percentiles import percentiles, rounded
from runs.samples import Endpoint, Metric, Totals
from runs.waiting import queue
from runs.words import figure
from streaming.wire import Update


@dataclass(frozen=True)
class PlanWord:
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

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class RunWord:
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

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def plan_word(plan: Plan) -> PlanWord:
    return PlanWord(
        id=str(plan.pk),
        name=plan.name,
        tool=plan.tool,
        target=plan.target,
        duration=format_duration(plan.duration),
        users=plan.users,
        thresholds=plan.thresholds,
        shards=plan.shards,
        variables=plan.variables,
        secrets=plan.secrets,
        hosts=plan.hosts,
        tags=plan.tags,
        notes=plan.notes,
        baseline=_id(plan.baseline_id),
    )


def run_word(run: Run) -> RunWord:
    api = f"/api/load-testing/runs/{run.pk}"
    return RunWord(
        id=str(run.pk),
        name=run.name,
        tool=run.tool,
        tool_version=run.tool_version,
        latency_kind=run.latency_kind,
        target=run.target,
        state=run.state,
        duration=format_duration(run.duration),
        users=run.users,
        thresholds=run.thresholds,
        requested_by=run.requested_by.get_username(),
        created_at=run.created_at.isoformat(),
        started_at=_iso(run.started_at),
        ended_at=_iso(run.ended_at),
        verdict=run.verdict,
        calendar=run.calendar,
        totals=run.totals,
        endpoints=run.endpoints,
        metrics=run.metrics,
        breaches=run.breaches,
        log_tail=run.log_tail,
        exit_code=run.exit_code,
        processes_left=run.processes_left,
        plan=_id(run.plan_id),
        baseline=_id(run.plan.baseline_id) if run.plan else None,
        site=run.site,
        shards=run.shards,
        is_dry=run.is_dry,
        scheduled_for=_iso(run.scheduled_for),
        queued_at=_iso(run.queued_at),
        queue_position=queue.position(run),
        tool_plan=run.tool_plan,
        tags=run.tags,
        notes=run.notes,
        links={
            "self": api,
            "metrics": f"{api}/metrics",
            "stream": f"/api/load-testing/stream/{run.pk}",
            "page": f"/runs/{run.pk}/",
        },
    )


def totals(words: Totals) -> dict[str, Any] | None:
    """Requests a second are over `seconds`, from the first to the last request."""
    if not words.requests:
        return None
    return {
        "requests": words.requests,
        "errors": words.errors,
        "error_rate": round(words.error_rate, 6),
        "rps": round(words.rps, 3),
        "seconds": words.seconds,
        "users": words.users,
        **percentiles(words.sketch),
    }


def endpoints(words: list[Endpoint]) -> list[dict[str, Any]]:
    return [
        {"name": e.name, "requests": e.requests, "errors": e.errors, **percentiles(e.sketch)}
        for e in words
    ]


def metrics(words: list[Metric]) -> list[dict[str, Any]]:
    """What the tool measured beside the requests, each with the figures that suit its kind."""
    return [{"name": m.name, "kind": m.kind, "count": m.count, **_figures(m)} for m in words]


def _figures(metric: Metric) -> dict[str, float | None]:
    """In the metric's own unit, which only the script knows: a percentile's `_ms` is left out."""
    match metric.kind:
        case "rate":
            return {"rate": rounded(metric.rate)}
        case "counter":
            return {"total": rounded(metric.total)}
        case "gauge":
            ends = {"min": metric.sketch.quantile(0), "max": metric.sketch.quantile(1)}
            return {"last": metric.last} | ends
    found = percentiles(metric.sketch)
    return {name.removesuffix("_ms"): value for name, value in found.items()} | {
        "max": rounded(metric.sketch.quantile(1))
    }


def doing(update: Update) -> str:
    """What a coordinator reads beside a permit: `412/s, 0.3 % errors, p95 812 ms`."""
    parts = [f"{figure(update.rps)}/s", f"{figure(update.error_rate * 100)} % errors"]
    if update.p95_ms is not None:
        parts.append(f"p95 {figure(update.p95_ms)} ms")
    return ", ".join(parts)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _id(key: int | None) -> str | None:
    return None if key is None else str(key)
