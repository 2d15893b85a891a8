"""Load tests that run while something is tried with the calendar."""

from datetime import datetime, timedelta

from calendar_guard import permits, services
from calendar_guard.models import Permit
from tests.calendar_guard.examples import HOUR, WEDNESDAY


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
