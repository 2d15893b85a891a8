"""What others may ask of runs: start one, stop one, read them. Words, never models."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.rules import Verdict
from runs import fanout, targets, tasks, thresholds
from runs.models import HELD_BY_A_WORKER, OPEN, Plan, Run, State
from runs.outcome import Outcome
from runs.report import PlanWord, RunWord, plan_word, run_word
from runs.tools import tool_names

__all__ = [
    "Invalid",
    "KeyReused",
    "PlanWord",
    "Request",
    "RunRefused",
    "RunWord",
    "UnknownRun",
    "add_plan",
    "check",
    "get_run",
    "list_plans",
    "list_runs",
    "metrics",
    "request_of_plan",
    "request_of_run",
    "start",
    "stop",
    "tool_names",
]

LONGEST = timedelta(hours=24)


class UnknownRun(LookupError):
    """No run, or no plan, has this id."""


class Invalid(ValueError):
    """The request cannot be a test; `field` is the word that is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class KeyReused(ValueError):
    """The idempotency key belongs to a different request."""


class RunRefused(Exception):
    """The wedding calendar said no; the refusal is kept as a run."""

    def __init__(self, run: RunWord, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.run, self.verdict = run, verdict


@dataclass(frozen=True)
class Request:
    """What an engineer asks for. `duration` is the worst case and the hard stop."""

    name: str
    tool: str
    script: str
    target: str
    duration: timedelta
    users: int | None = None
    shards: int = 1
    thresholds: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    ca: str = ""
    tags: list[str] = field(default_factory=list)
    notes: str = ""


def start(
    *, by: User, request: Request, now: datetime, key: str | None = None, plan_id: str | None = None
) -> RunWord:
    """Ask the calendar and queue the run. Raises Invalid, KeyReused or RunRefused."""
    check(request)
    if key and (earlier := _earlier(by, key)):
        return _same(earlier, request)
    run = Run(
        **asdict(request),
        plan_id=int(plan_id) if plan_id else None,
        requested_by=by,
        idempotency_key=key or None,
        created_at=now,
        heartbeat_at=clock.real_now(),
    )
    try:
        with transaction.atomic():
            run.save()
            refusal = _ask_the_calendar(run, by.username, now)
    except IntegrityError:
        if key and (earlier := _earlier(by, key)):
            return _same(earlier, request)
        raise
    if refusal:
        raise RunRefused(run_word(run), refusal)
    fanout.open_stream(str(run.pk))
    tasks.enqueue(run.pk)
    return run_word(run)


def check(request: Request) -> None:
    """Raise Invalid for the first word that cannot be part of a test."""
    if request.tool not in tool_names():
        known = ", ".join(tool_names())
        raise Invalid("tool", f"{request.tool!r} is not a tool here; choose one of: {known}.")
    if not timedelta(seconds=1) <= request.duration <= LONGEST:
        raise Invalid("duration", "A test lasts between PT1S and PT24H.")
    if not request.script.strip():
        raise Invalid("script", "The script is empty.")
    if request.users is not None and request.users < 1:
        raise Invalid("users", "A test has at least one user.")
    _check_thresholds(request.thresholds)
    try:
        targets.check_target(
            request.target, targets.read_networks(settings.WEDSYNC_TARGET_NETWORKS)
        )
    except targets.TargetRefused as error:
        raise Invalid("target", str(error)) from None


def _check_thresholds(words: object) -> None:
    if not isinstance(words, list) or not all(isinstance(text, str) for text in words):
        raise Invalid("thresholds", 'Write a list of sentences: ["p95 > 800ms"].')
    try:
        for text in words:
            thresholds.parse(text)
    except thresholds.ThresholdError as error:
        raise Invalid("thresholds", str(error)) from None


def stop(*, run_id: str, by: str, now: datetime, why: str = "stop was pressed") -> RunWord:
    """Ask for a run's end: always allowed, idempotent, confirmed by the worker in seconds."""
    run = _find(run_id)
    if run.permit_id is not None and run.state in OPEN:
        calendar_guard.revoke(permit_id=run.permit_id, by=by, why=why, now=now)
    outcome = Outcome("aborted", f"Stopped by {by} before it began: {why}.")
    if Run.objects.move(
        run.pk, of=[State.REQUESTED], to=State.ABORTED, verdict=outcome.as_json(), ended_at=now,
        processes_left=0,
    ):  # fmt: skip
        fanout.close_stream(run.pk, outcome.as_json())
    else:
        Run.objects.move(run.pk, of=HELD_BY_A_WORKER, to=State.STOPPING)
    return get_run(run_id=run_id)


def get_run(*, run_id: str) -> RunWord:
    return run_word(_find(run_id))


def list_runs(
    *, limit: int = 100, state: str = "", tool: str = "", text: str = ""
) -> list[RunWord]:
    """The newest runs first."""
    runs = Run.objects.select_related("requested_by")
    if state:
        runs = runs.filter(state=state)
    if tool:
        runs = runs.filter(tool=tool)
    if text:
        runs = runs.filter(name__icontains=text)
    return [run_word(run) for run in runs[:limit]]


def metrics(*, run_id: str) -> list[dict[str, Any]]:
    """The closed seconds of a run as they were streamed, oldest first."""
    return list(_find(run_id).snapshots.values_list("data", flat=True))


def add_plan(*, by: User, request: Request, now: datetime) -> PlanWord:
    check(request)
    return plan_word(Plan.objects.create(**asdict(request), created_by=by, created_at=now))


def list_plans() -> list[PlanWord]:
    return [plan_word(plan) for plan in Plan.objects.all()]


def request_of_plan(*, plan_id: str) -> Request:
    """A saved plan as a request. Raises UnknownRun."""
    plan = Plan.objects.filter(pk=plan_id).first() if plan_id.isdecimal() else None
    if plan is None:
        raise UnknownRun(f"There is no plan {plan_id!r}; GET /api/load-testing/plans lists them.")
    return _request(plan)


def request_of_run(*, run_id: str) -> Request:
    """The request behind a run, to be asked again. Raises UnknownRun."""
    return _request(_find(run_id))


def _request(recipe: Plan | Run) -> Request:
    return Request(**{name: getattr(recipe, name) for name in Request.__dataclass_fields__})


def _find(run_id: str) -> Run:
    # SQLite's integers end at 2**63; a longer id cannot exist.
    known = run_id.isdecimal() and len(run_id) < 19
    run = Run.objects.select_related("requested_by").filter(pk=run_id).first() if known else None
    if run is None:
        raise UnknownRun(f"There is no run {run_id}; GET /api/load-testing/runs lists them.")
    return run


def _ask_the_calendar(run: Run, by: str, now: datetime) -> Verdict | None:
    """Give the run its permit, or keep it as refused; the verdict of a refusal."""
    try:
        permit = calendar_guard.grant(
            start=now,
            duration=run.duration,
            target=run.target,
            label=run.name,
            link=f"/runs/{run.pk}/",
            run_id=str(run.pk),
            by=by,
            now=now,
        )
    except calendar_guard.Refused as refusal:
        _keep_refusal(run, refusal.verdict, now)
        return refusal.verdict
    run.permit_id, run.calendar = permit.id, permit.verdict.as_json()
    run.save(update_fields=["permit_id", "calendar"])
    return None


def _keep_refusal(run: Run, verdict: Verdict, now: datetime) -> None:
    """A refusal is history too, but it does not use the idempotency key up."""
    run.idempotency_key = None
    run.state, run.calendar, run.ended_at = State.REFUSED, verdict.as_json(), now
    run.verdict = Outcome("refused", verdict.reason).as_json()
    run.processes_left = 0
    run.save()


def _earlier(by: User, key: str) -> Run | None:
    return (
        Run.objects.select_related("requested_by")
        .filter(requested_by=by, idempotency_key=key)
        .first()
    )


def _same(run: Run, request: Request) -> RunWord:
    if any(getattr(run, name) != value for name, value in asdict(request).items()):
        raise KeyReused(
            f"This Idempotency-Key started run {run.pk}, which is a different test. "
            "Send a new key for a new test."
        )
    return run_word(run)
