"""What a run is worth afterwards: its metrics, another run beside it, the trend of its plan."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit import services as audit
from runs.finding import find_plan, find_run
from runs.models import OPEN, Run
from runs.past import comparing, keeping, rollup
from runs.past.comparing import Comparison, Measured, Side
from runs.past.rollup import WIDTHS
from runs.request import Invalid
from runs.samples import REQUESTS, Key, Tally
from runs.wording import PlanWord, Word, plan_word

LATEST = 60
_SAME = (
    *("name", "state", "tool", "tool_version", "latency_kind", "target"),
    *("users", "shards", "duration", "script"),
)
_INPUTS = ("files", "variables", "secrets", "hosts", "ca")


@dataclass(frozen=True)
class TrendPoint(Word):
    """One run of a plan; figures are None where nothing was measured."""

    run: str
    name: str
    at: str
    state: str
    reason: str
    is_baseline: bool
    requests: int
    rps: float | None
    error_rate: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


def metrics(*, run_id: str, width: int = 1) -> list[dict[str, Any]]:
    """The words of a run's seconds, or of its spans of 10 s or 1 min, oldest first.

    Each tells its `width`: where seconds were forgotten after a while, wider ones stand in.
    """
    if width not in WIDTHS:
        raise Invalid("width", "Metrics come in widths of 1, 10 and 60 seconds.")
    return keeping.words_of(find_run(run_id).pk, width)


def compare(*, run_ids: Sequence[str]) -> Comparison:
    """The second run against the first. Raises Invalid or UnknownRun."""
    if len(run_ids) != 2 or run_ids[0] == run_ids[1]:
        raise Invalid("runs", "Name two different runs to compare: the earlier one first.")
    before, after = (_side(find_run(run_id)) for run_id in run_ids)
    return comparing.compare(before, after)


def trend(*, plan_id: str) -> list[TrendPoint]:
    """The plan's latest runs that went as far as their tool, oldest first."""
    plan = find_plan(plan_id)
    runs = plan.runs.filter(started_at__isnull=False, is_dry=False).exclude(state__in=OPEN)
    latest = runs.order_by("-started_at", "-pk")[:LATEST]
    return [_point(run, is_baseline=run.pk == plan.baseline_id) for run in reversed(latest)]


def previous(*, run_id: str) -> str | None:
    """The last run of the same plan before this one that measured something."""
    run = find_run(run_id)
    if run.plan_id is None:
        return None
    earlier = Run.objects.filter(
        Q(created_at__lt=run.created_at) | Q(created_at=run.created_at, pk__lt=run.pk),
        plan_id=run.plan_id,
        totals__isnull=False,
    )
    found = earlier.exclude(state__in=OPEN).order_by("-created_at", "-pk").first()
    return str(found.pk) if found else None


def set_baseline(*, plan_id: str, run_id: str | None, by: str, now: datetime) -> PlanWord:
    """Compare the plan's runs with this one from now on; None: with none. Raises Invalid."""
    plan, run = find_plan(plan_id), find_run(run_id) if run_id else None
    if run and run.plan_id != plan.pk:
        raise Invalid("run", f"Run {run.pk} is not of plan {plan.pk}; its own runs are.")
    if run and (run.state in OPEN or not run.totals):
        raise Invalid("run", f"Run {run.pk} ({run.state}) has no figures to compare with.")
    old, plan.baseline = plan.baseline_id, run
    with transaction.atomic():
        plan.save(update_fields=["baseline"])
        data = {"from": old, "to": plan.baseline_id}
        audit.record(action="baseline", actor=by, subject=f"plan {plan.pk}", data=data, now=now)
    return plan_word(plan)


def _point(run: Run, *, is_baseline: bool) -> TrendPoint:
    totals, verdict = run.totals or {}, run.verdict or {}
    figures = ("rps", "error_rate", "p50_ms", "p95_ms", "p99_ms")
    return TrendPoint(
        run=str(run.pk),
        name=run.name,
        at=(run.started_at or run.created_at).isoformat(),
        state=run.state,
        reason=verdict.get("reason", ""),
        is_baseline=is_baseline,
        requests=totals.get("requests", 0),
        **{name: totals.get(name) for name in figures},
    )


def _side(run: Run) -> Side:
    spans = keeping.spans_of(run.pk, WIDTHS[-1])
    requests, errors, seconds = (
        sum(span.data[name] for span in spans) for name in ("requests", "errors", "seconds")
    )
    # From the first to the last request, as the run's own page tells it.
    seconds = (run.totals or {}).get("seconds", seconds)
    cells = rollup.merged_cells(spans)
    return Side(
        **{name: getattr(run, name) for name in _SAME},
        id=str(run.pk),
        plan=None if run.plan_id is None else str(run.plan_id),
        inputs={name: getattr(run, name) for name in _INPUTS},
        started_at=run.started_at.isoformat() if run.started_at else None,
        totals=Measured(requests, errors, seconds, rollup.merged_sketch(spans)),
        endpoints=None if cells is None else _by_name(cells.items(), seconds),
    )


def _by_name(cells: Iterable[tuple[Key, Tally]], seconds: int) -> Mapping[str, Measured]:
    found: dict[str, Tally] = {}
    for key, tally in cells:
        if key.metric == REQUESTS:
            found.setdefault(key.name, Tally()).add(tally)
    return {
        name: Measured(tally.count, tally.errors, seconds, tally.sketch)
        for name, tally in found.items()
    }
