"""The pages of runs and plans: what happened, how it went, against what, where it is heading."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

import clock
from clock.iso import parse_duration
from dashboard import trend
from dashboard.frame import frame, week
from dashboard.reading import reader_only
from runs import services as runs
from runs.services import PlanWord, RunWord

STATES = (
    *("scheduled", "queued", "requested", "preparing", "ready", "running", "stopping"),
    *("passed", "failed", "aborted", "errored", "lost", "refused"),
)
WAITING = {"scheduled", "queued"}
FILTERS = ("state", "tool", "plan", "tag", "q")
LISTED, CHOICES, RECENT = 100, 50, 10
TILES = (
    {"key": "rps", "name": "Requests", "unit": "/s"},
    {"key": "errors", "name": "Errors", "unit": "%"},
    {"key": "p95", "name": "p95", "unit": "ms"},
    {"key": "p99", "name": "p99", "unit": "ms"},
    {"key": "users", "name": "Users", "unit": ""},
)


@reader_only
def run_list(request: HttpRequest) -> HttpResponse:
    """What happened lately?"""
    asked = {name: request.GET.get(name, "").strip() for name in FILTERS}
    filters = {"text" if name == "q" else name: value for name, value in asked.items()}
    matter = frame(request, asked=asked, states=STATES, tools=runs.tool_names())
    matter |= {
        "plans": runs.list_plans(),
        "is_filtered": any(asked.values()),
        **_page_of_runs(request, **filters),
    }
    return render(request, "dashboard/runs.html", matter)


def _page_of_runs(request: HttpRequest, **filters: str) -> dict[str, Any]:
    """The newest runs, or those before the run that the address names; and the way to the next."""
    before = request.GET.get("before", "").strip()
    found = runs.list_runs(limit=LISTED + 1, before=before, **filters)
    page, query = found[:LISTED], request.GET.copy()
    query.pop("before", None)
    newest = query.urlencode()
    if len(found) > LISTED:
        query["before"] = page[-1].id
    return {
        "runs": page,
        "newest": f"?{newest}" if before else "",
        "older": f"?{query.urlencode()}" if len(found) > LISTED else "",
    }


@reader_only
def run_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """How is it going? Did it pass, and why? When may I?"""
    try:
        run = runs.get_run(run_id=run_id)
    except runs.UnknownRun:
        return _unknown(request, "run", run_id)
    matter = frame(request, run=run, word=run.as_json(), tiles=TILES)
    if run.state == "refused":
        matter["week"] = week(
            datetime.fromisoformat(run.scheduled_for or run.created_at),
            now=clock.now(),
            asked=parse_duration(run.duration),
        )
        return render(request, "dashboard/refused.html", matter)
    matter |= {
        "plan": runs.get_plan(plan_id=run.plan) if run.plan else None,
        "rivals": _rivals(run),
        "is_waiting": run.state in WAITING,
        "is_cut": _is_cut(run),
        "may_be_baseline": bool(run.plan and run.totals and not run.is_open),
    }
    return render(request, "dashboard/run.html", matter)


def _is_cut(run: RunWord) -> bool:
    """Whether the script may take longer than it is allowed to."""
    worst = (run.tool_plan or {}).get("worst_case_s")
    return worst is not None and worst > parse_duration(run.duration).total_seconds()


def _rivals(run: RunWord) -> list[tuple[str, str]]:
    """What a run is worth comparing with: (what it is, its id)."""
    if not run.totals:
        return []
    found = {"the baseline": run.baseline, "the run before": runs.previous(run_id=run.id)}
    if found["the run before"] == run.baseline:
        del found["the run before"]
    return [(what, rival) for what, rival in found.items() if rival and rival != run.id]


@reader_only
def compare_page(request: HttpRequest) -> HttpResponse:
    """Is the second run better or worse than the first, and may the two be compared at all?"""
    asked = [request.GET.get(name, "").strip() for name in ("a", "b")]
    matter = frame(request, asked=asked, choices=_choices())
    if not all(asked):
        return render(request, "dashboard/compare.html", matter)
    try:
        matter["comparison"] = runs.compare(run_ids=asked).as_json()
    except (runs.Invalid, runs.UnknownRun) as problem:
        matter["problem"] = str(problem).partition(";")[0]
        status = 404 if isinstance(problem, runs.UnknownRun) else 400
        return render(request, "dashboard/compare.html", matter, status=status)
    return render(request, "dashboard/compare.html", matter)


def _choices() -> list[RunWord]:
    return [run for run in runs.list_runs(limit=CHOICES) if run.totals]


@reader_only
def plan_list(request: HttpRequest) -> HttpResponse:
    """Which tests do we run again and again, and how did each go the last time?"""
    plans = [(plan, _latest(plan)) for plan in runs.list_plans()]
    return render(request, "dashboard/plans.html", frame(request, plans=plans))


def _latest(plan: PlanWord) -> RunWord | None:
    """The last run that began; those that wait are not news yet."""
    return next((run for run in runs.list_runs(plan=plan.id, limit=RECENT) if run.started_at), None)


@reader_only
def plan_page(request: HttpRequest, plan_id: str) -> HttpResponse:
    """Where is this test heading: better or worse, run after run?"""
    try:
        plan = runs.get_plan(plan_id=plan_id)
    except runs.UnknownRun:
        return _unknown(request, "plan", plan_id)
    points = runs.trend(plan_id=plan_id)
    measured = [point.run for point in points if point.p95_ms is not None]
    matter: dict[str, Any] = {
        "plan": plan,
        "points": points,
        "drawing": trend.draw(points),
        "latest_pair": measured[-2:] if len(measured) > 1 else None,
        "latest": measured[-1] if measured else None,
        **_page_of_runs(request, plan=plan_id),
    }
    return render(request, "dashboard/plan.html", frame(request, **matter))


def _unknown(request: HttpRequest, what: str, key: str) -> HttpResponse:
    matter = frame(request, what=what, key=key)
    return render(request, "dashboard/unknown_run.html", matter, status=404)
