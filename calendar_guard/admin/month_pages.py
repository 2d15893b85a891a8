"""The month in the admin: weddings, holds and safe hours, read in a fixed number of queries."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

import clock
from calendar_guard import month, reading, rules, zones
from calendar_guard.models import LONGEST_WEDDING, Hold, Wedding

# No test is shorter than this, so no gap that is shorter is worth a mark.
SHORTEST_TEST = timedelta(minutes=1)
SEE_HOLDS = "calendar_guard.view_hold"
TEMPLATE = "admin/calendar_guard/month.html"


def show_month(request: HttpRequest) -> HttpResponse:
    """Who marries when, and which hours are safe: `?month=2026-06&zone=Europe/Berlin`."""
    if not request.user.has_perm("calendar_guard.view_wedding"):
        raise PermissionDenied
    now = clock.now()
    zone = _asked_zone(request)
    first = _asked_month(request, zone, now)
    window = month.span_of(first, zone)
    known = reading.merged(window, now)
    laid_out = month.lay_out(
        first=first,
        zone=zone,
        occasions=[*_weddings(window, now), *_holds(request, window, known.policy.home_zone)],
        free=rules.windows(calendar=known, window=window, duration=SHORTEST_TEST, now=now),
        protected_weekdays=known.policy.protected_weekdays,
        now=now,
    )
    in_force = rules.zones_in_force(calendar=known, now=now)
    matter = {
        "month": laid_out,
        "title": f"{first:%B %Y}",
        "zone_names": sorted({zone, known.policy.home_zone, "UTC", *in_force}),
        "today": month.month_of(now, zone),
        "incomplete": _incomplete(known, window, zone),
    }
    return render(request, TEMPLATE, _around(request) | matter)


def _around(request: HttpRequest) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "opts": Wedding._meta,
        "may_add": request.user.has_perm("calendar_guard.add_wedding"),
        "may_see_holds": request.user.has_perm(SEE_HOLDS),
    }


def _asked_zone(request: HttpRequest) -> str:
    asked = request.GET.get("zone", "")
    home = reading.policy().home_zone
    try:
        return zones.find(asked).key if asked else home
    except ValueError as problem:
        messages.warning(request, f"{problem} This is {home}.")
        return home


def _asked_month(request: HttpRequest, zone: str, now: datetime) -> date:
    asked = request.GET.get("month", "")
    try:
        return month.read_month(asked) if asked else month.month_of(now, zone)
    except ValueError as problem:
        messages.warning(request, f"{problem} This is the current month.")
        return month.month_of(now, zone)


def _weddings(window: rules.Window, now: datetime) -> Iterator[month.Occasion]:
    """With those that are cancelled; one that is live goes on until now at least."""
    live = Q(status=Wedding.Status.LIVE)
    begun = Q(starts_at__lt=window.end)
    planned = begun & Q(starts_at__gt=window.start - LONGEST_WEDDING, ends_at__gt=window.start)
    for found in (planned & ~live, begun & live):
        rows = Wedding.objects.filter(found).order_by()
        for pk, title, status, zone, start, end in rows.values_list(
            "id", "title", "status", "zone", "starts_at", "ends_at"
        ):
            until = max(end, now) if status == Wedding.Status.LIVE else end
            yield month.Occasion("wedding", pk, title, status, zone, start, until)


def _holds(request: HttpRequest, window: rules.Window, home: str) -> Iterator[month.Occasion]:
    """A reason may hold names, so it is for those who may see holds."""
    may_see = request.user.has_perm(SEE_HOLDS)
    rows = Hold.objects.filter(
        lifted_at=None, starts_at__lt=window.end, ends_at__gt=window.start
    ).values_list("id", "reason", "starts_at", "ends_at")
    for pk, reason, start, end in rows:
        title = reason if may_see else f"Hold {pk}"
        yield month.Occasion("hold", pk, title, "hold", home, start, end)


def _incomplete(known: rules.Calendar, window: rules.Window, zone: str) -> str:
    until = known.complete_until
    if until is None or until >= window.end:
        return ""
    said = f"The wedding calendar is known only until {zones.spoken(until, zone)}"
    return f"{said}, so nothing after it counts as safe: {known.incomplete_why}."
