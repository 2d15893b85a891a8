"""The pages. Each answers one question; what changes something goes through the REST API."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.views import LoginView
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.rules import STALE, Verdict, Window
from calendar_guard.services import Freshness, HoldWord
from clock.iso import format_duration, parse_duration
from dashboard import outlook
from dashboard.examples import EXAMPLES
from dashboard.frame import ASKED, frame, week
from dashboard.reading import reader_only
from runs import services as runs

UNKNOWN_WINDOW = "Nobody knows before the calendar is complete."
LATEST, WINDOWS = 5, 8
DURATIONS = {"PT30M": "30 minutes", "PT1H": "1 hour", "PT2H": "2 hours", "PT4H": "4 hours"}


@reader_only
def home(request: HttpRequest) -> HttpResponse:
    """May we test now?"""
    now = clock.now()
    verdict = calendar_guard.check(start=now, duration=ASKED, now=now)
    matter = {
        "runs": runs.list_runs(limit=LATEST),
        "week": week(now, now=now),
        "safe_from": _safe_before(verdict, now),
        "incomplete": _incomplete(verdict, now),
        "unknown_window": UNKNOWN_WINDOW,
        "may_keep_feeds": request.user.is_staff
        and request.user.has_perm("calendar_guard.change_feed"),
    }
    return render(request, "dashboard/home.html", frame(request, **matter))


def _safe_before(verdict: Verdict, now: datetime) -> datetime | None:
    """The first safe minute, where the guard advises a later one: Monday morning."""
    advised = verdict.next_safe_window
    if verdict.safe or advised is None:
        return None
    earlier = calendar_guard.windows(start=now, end=advised.start, duration=ASKED, now=now)
    return next((one.start for one in earlier if one.start < advised.start), None)


def _incomplete(verdict: Verdict, now: datetime) -> Freshness | None:
    """How far the calendar is known, where that stands in the way."""
    stands = any(blocker.rule == STALE for blocker in verdict.blockers)
    return calendar_guard.freshness(now=now) if stands else None


@reader_only
def calendar_page(request: HttpRequest) -> HttpResponse:
    """When may we test? Heat map, next windows for a duration, what blocks now, how fresh it is."""
    now, policy = clock.now(), calendar_guard.policy()
    asked = request.GET.get("duration", "")
    asked = asked if asked in DURATIONS else next(iter(DURATIONS))
    duration, horizon = parse_duration(asked), now + policy.horizon
    span = outlook.span_of(now, policy.home_zone)
    free = calendar_guard.windows(start=span.start, end=span.end, duration=timedelta(0), now=now)
    fitting = calendar_guard.windows(start=now, end=horizon, duration=duration, now=now)
    verdict = calendar_guard.check(start=now, duration=duration, now=now)
    return render(
        request,
        "dashboard/calendar.html",
        frame(
            request,
            durations=DURATIONS,
            asked=asked,
            zone=policy.home_zone,
            rows=outlook.lay_out(free=free, now=now, zone=policy.home_zone),
            hours=range(outlook.HOURS),
            windows=[_window(one, now=now, horizon=horizon) for one in fitting[:WINDOWS]],
            answer=verdict.as_json(),
            proposed=_proposed(verdict, fitting),
            calendar=calendar_guard.freshness(now=now),
            unknown_window=UNKNOWN_WINDOW,
            holds=_holds(request, now),
        ),
    )


def _holds(request: HttpRequest, now: datetime) -> tuple[HoldWord, ...]:
    may_see = request.user.has_perm("calendar_guard.view_hold")
    return calendar_guard.holds(now=now) if may_see else ()


def _proposed(verdict: Verdict, windows: Sequence[Window]) -> datetime | None:
    """Where the verdict names a later start than the first safe one: Monday morning."""
    window = verdict.next_safe_window
    return window.start if window and windows and window.start > windows[0].start else None


def _window(window: Window, *, now: datetime, horizon: datetime) -> dict[str, Any]:
    return {
        "start": window.start,
        "end": window.end,
        "lasts": format_duration(_whole_minutes(window.end - window.start)),
        "is_now": window.start <= now,
        "is_cut": window.end >= horizon,
    }


def _whole_minutes(span: timedelta) -> timedelta:
    return span - span % timedelta(minutes=1)


@reader_only
def new_run(request: HttpRequest) -> HttpResponse:
    """Ask for a test: a saved plan, or one written out."""
    latest = runs.list_runs(limit=1)
    examples = [asdict(example) | {"script": example.script} for example in EXAMPLES]
    return render(
        request,
        "dashboard/new.html",
        frame(
            request,
            plans=runs.list_plans(),
            tools=runs.tool_names(),
            examples=examples,
            again=_as_form(request.GET.get("again", "")),
            minutes=_minutes(request.GET.get("duration", "")),
            target=latest[0].target if latest else "",
        ),
    )


def _minutes(duration: str) -> int | None:
    """Of a duration that the calendar's page offers."""
    return parse_duration(duration) // timedelta(minutes=1) if duration in DURATIONS else None


def _as_form(run_id: str) -> dict[str, Any] | None:
    """An earlier run's request in the form's own words; None where there is no such run."""
    try:
        words = asdict(runs.request_of_run(run_id=run_id))
    except runs.UnknownRun:
        return None
    return words | {"minutes": words.pop("duration") / timedelta(minutes=1)}


def log_in(request: HttpRequest) -> HttpResponseBase:
    page = LoginView.as_view(template_name="dashboard/login.html", extra_context=frame(request))
    return page(request)


def icon(request: HttpRequest) -> HttpResponse:
    """For pages that name none, as the admin's."""
    return redirect(static("dashboard/icon.svg"))


def no_such_page(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Also where the database is away: then without what only that knows."""
    matter: dict[str, Any] = {}
    with suppress(DatabaseError, InterfaceError):
        matter = frame(request)
    return render(request, "404.html", matter, status=404)
