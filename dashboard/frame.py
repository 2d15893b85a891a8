"""What every page shows around its own matter: the guard's verdict and what this person may do."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest

import clock
from access.services import may_read
from calendar_guard import services as calendar_guard

ASKED = timedelta(minutes=30)
WEEK = timedelta(days=7)
# The strip begins at the viewer's midnight, which the server does not know.
MARGIN = timedelta(days=1)
NO_WINDOW = "No window of this length is free within {} days; ask the coordinator."


def frame(request: HttpRequest, **matter: Any) -> dict[str, Any]:
    now = clock.now()
    user = request.user
    return {
        "now": now,
        "verdict": _verdict(now) if may_read(request) else None,
        "may_start": user.has_perm("runs.add_run"),
        "may_stop": user.has_perm("runs.stop_run"),
        "may_plan": user.has_perm("runs.add_plan"),
        "may_see_calendar": user.is_staff and user.has_perm("calendar_guard.view_wedding"),
        "no_window": NO_WINDOW.format(calendar_guard.policy().horizon.days),
        "clock_is_moved": bool(settings.WEDSYNC_CLOCK_OFFSET),
        **matter,
    }


def week(start: datetime, *, now: datetime, asked: timedelta | None = None) -> dict[str, Any]:
    """Seven days of the calendar for the strip; `asked` outlines a run that was asked for."""
    spans = calendar_guard.protected_spans(start=start - MARGIN, end=start + WEEK + MARGIN, now=now)
    return {
        "at": start.isoformat(),
        "asked": asked and {"from": start.isoformat(), "until": (start + asked).isoformat()},
        "spans": [span.as_json() for span in spans],
    }


def _verdict(now: datetime) -> dict[str, Any]:
    return calendar_guard.check(start=now, duration=ASKED, now=now).as_json()
