"""Questions to the calendar, without side effects: may we, when, by which rules, until when."""

from datetime import datetime, time, timedelta
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

import clock
from calendar_guard import reading, services, standing, zones
from calendar_guard.api.view import GuardView, asked, asked_duration, instant, number, only, told
from calendar_guard.weddings.facts import read_zone
from calendar_guard.writing import Invalid
from clock import iso

JUST_NOW = timedelta(minutes=1)
TWO_WEEKS, WEEK = timedelta(days=14), timedelta(days=7)


class WindowView(GuardView):
    """May a run of `duration` start `at` (now, if left out)? Only a question: always 200."""

    def get(self, request: Request) -> Response:
        now = clock.now()
        with told():
            only(request.query_params, ("duration", "at"))
            duration = asked_duration(request)
            start = asked(request, "at", iso.parse_instant, now)
            _refuse_past("at", start, now)
            try:
                verdict = services.check(start=start, duration=duration, now=now)
            except ValueError as problem:
                raise Invalid("at", str(problem)) from None
        return Response(verdict.as_json())


class WindowsView(GuardView):
    """All windows in [from, to) that a run of `duration` fits into.

    From now, for two weeks or for the horizon where that is shorter.
    """

    def get(self, request: Request) -> Response:
        now = clock.now()
        with told():
            only(request.query_params, ("from", "to", "duration"))
            duration = asked_duration(request)
            start = asked(request, "from", lambda text: instant(text, "from"), now)
            _refuse_past("from", start, now)
            usual = start + min(TWO_WEEKS, reading.policy().horizon)
            end = asked(request, "to", lambda text: instant(text, "to"), usual)
            _refuse_span(start, end)
        found = services.windows(start=start, end=end, duration=duration, now=now)
        windows = [{"start": w.start.isoformat(), "end": w.end.isoformat()} for w in found]
        span = {"from": start.isoformat(), "to": end.isoformat()}
        return Response({"windows": windows, **span, "duration": iso.format_duration(duration)})


class PolicyView(GuardView):
    def get(self, request: Request) -> Response:
        return Response(standing.policy_words(now=clock.now()))


class FeedsView(GuardView):
    def get(self, request: Request) -> Response:
        return Response({"feeds": standing.freshness(now=clock.now()).as_json()["feeds"]})


class HeatMapView(GuardView):
    """Which share of each hour is safe, from today's midnight in `zone`, for some `weeks`."""

    def get(self, request: Request) -> Response:
        now, policy = clock.now(), reading.policy()
        with told():
            only(request.query_params, ("weeks", "zone"))
            most = policy.horizon // WEEK
            weeks = asked(request, "weeks", number(1, most), min(4, most))
            zone = asked(request, "zone", read_zone, policy.home_zone)
        today = datetime.combine(now.astimezone(zones.find(zone)).date(), time())
        start = zones.earliest(today, zone)
        end = zones.earliest(today + weeks * WEEK, zone)
        words: dict[str, Any] = {"zone": zone, "weeks": weeks, "start": start.isoformat()}
        return Response(words | {"hours": services.heat_map(start=start, end=end, now=now)})


def _refuse_past(name: str, start: datetime, now: datetime) -> None:
    if start < now - JUST_NOW:
        raise Invalid(name, f"{start.isoformat()} is over; ask for now or for a time to come.")


def _refuse_span(start: datetime, end: datetime) -> None:
    horizon = reading.policy().horizon
    if end <= start:
        raise Invalid("to", "This is not after the beginning.")
    if end - start > horizon:
        raise Invalid("to", f"The calendar is searched {horizon.days} days at once; ask for less.")
