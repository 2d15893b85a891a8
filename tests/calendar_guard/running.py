"""Load tests that run while something is tried with the calendar, and weddings of that day."""

from datetime import datetime, timedelta
from typing import Any

from calendar_guard import permits, services, writing
from calendar_guard.models import Permit, Wedding
from tests.calendar_guard.examples import HOUR, LONDON, WEDNESDAY


def grant(
    start: datetime = WEDNESDAY,
    duration: timedelta = HOUR,
    *,
    label: str = "guest rush",
    run: str = "12",
    by: str = "engineer",
    now: datetime = WEDNESDAY,
) -> services.PermitWord:
    """A test that runs or was let in."""
    return services.grant(
        start=start,
        duration=duration,
        target="http://127.0.0.1:8999",
        label=label,
        link=f"/runs/{run}/",
        run_id=run,
        by=by,
        now=now,
    )


def let_in(now: datetime) -> list[services.PermitWord]:
    """The tests that run and those that have not begun."""
    rows = Permit.objects.filter(revoked_at=None, given_back_at=None, ends_at__gt=now)
    return [permits.word(row) for row in rows]


def wedding(starts_at: datetime, hours: int = 6, **changes: Any) -> Wedding:
    """Not kept yet."""
    facts = {"title": "Ada & Grace", "zone": LONDON, "ends_at": starts_at + hours * HOUR}
    return Wedding(starts_at=starts_at, **(facts | changes))


def add(starts_at: datetime, hours: int = 6, **changes: Any) -> Wedding:
    """A wedding that was written as all of them are: it has stopped what it forbids."""
    made = wedding(starts_at, hours, **changes)
    writing.write_weddings(save=[made], by="mara", now=WEDNESDAY)
    return made
