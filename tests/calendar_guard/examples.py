"""What the tests share: short ways to write instants, weddings and calendars."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from calendar_guard.rules import Calendar, Policy, Verdict, WeddingSpan, judge

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONDON, BERLIN = "Europe/London", "Europe/Berlin"


def at(text: str, zone: str = "UTC", fold: int = 0) -> datetime:
    """`at("2026-06-10 10:00", "Europe/Berlin")` as an instant in UTC."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return local.astimezone(UTC)


def wedding(starts: str, ends: str, zone: str = LONDON, **changes: Any) -> WeddingSpan:
    """Local times of the zone; confirmed, two hours of set-up, one of tear-down."""
    facts: dict[str, Any] = {
        "id": 3,
        "zone": zone,
        "starts_at": at(starts, zone),
        "ends_at": at(ends, zone),
        "setup": 2 * HOUR,
        "teardown": HOUR,
        "status": "confirmed",
    }
    return WeddingSpan(**(facts | changes))


def calendar(*weddings: WeddingSpan, **policy: Any) -> Calendar:
    return Calendar(Policy(**policy), weddings)


WEDNESDAY = at("2026-06-10 10:00", LONDON)
PARTY = wedding("2026-06-10 14:00", "2026-06-10 22:00", BERLIN)  # protected 10:00 to 21:00 UTC


def ask(
    known: Calendar,
    start: datetime,
    duration: timedelta = 30 * MINUTE,
    now: datetime | None = None,
) -> Verdict:
    return judge(calendar=known, start=start, duration=duration, now=now or start)


def start_of_window(verdict: Verdict) -> datetime:
    assert verdict.next_safe_window
    return verdict.next_safe_window.start
