"""A run in words: what the API, the pages and the command line say of it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from clock.iso import format_duration
from runs.fanout import QUANTILES
from runs.models import OPEN, Plan, Run
from runs.samples import Endpoint, Totals
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

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class RunWord:
    """One run as told to people and programs; times and durations are ISO 8601."""

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
    log_tail: str
    exit_code: int | None
    processes_left: int | None
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
        log_tail=run.log_tail,
        exit_code=run.exit_code,
        processes_left=run.processes_left,
        links={
            "self": api,
            "metrics": f"{api}/metrics",
            "stream": f"/api/load-testing/stream/{run.pk}",
            "page": f"/runs/{run.pk}/",
        },
    )


def totals(words: Totals) -> dict[str, Any] | None:
    """Requests a second are over the seconds in which something was measured."""
    if not words.requests:
        return None
    return {
        "requests": words.requests,
        "errors": words.errors,
        "error_rate": round(words.error_rate, 6),
        "rps": round(words.rps, 3),
        "users": words.users,
        **_percentiles(words),
    }


def endpoints(words: list[Endpoint]) -> list[dict[str, Any]]:
    return [
        {"name": e.name, "requests": e.requests, "errors": e.errors, **_percentiles(e)}
        for e in words
    ]


def doing(update: Update) -> str:
    """What a coordinator reads beside a permit: `412/s, 0.3 % errors, p95 812 ms`."""
    parts = [f"{figure(update.rps)}/s", f"{figure(update.error_rate * 100)} % errors"]
    if update.p95_ms is not None:
        parts.append(f"p95 {figure(update.p95_ms)} ms")
    return ", ".join(parts)


def _percentiles(words: Totals | Endpoint) -> dict[str, float | None]:
    values = {name: words.quantile_ms(q) for name, q in QUANTILES.items()}
    return {name: None if value is None else round(value, 3) for name, value in values.items()}


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
