"""The heat map: for each day and hour of a zone's clock, may a test be under way then?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calendar_guard.rules import Window

DAYS, HOURS = 28, 24
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """`kind` is safe, blocked, past, partly (partly late where it begins blocked), or none, where
    the clock leaves an hour out."""

    kind: str
    words: str
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    day: date
    is_today: bool
    cells: tuple[Cell, ...]


def span_of(now: datetime, zone: str) -> Window:
    """From today's midnight on, four weeks."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return Window(_instant(today, 0, zone), _instant(today + DAYS * _DAY, 0, zone))


def lay_out(*, free: Sequence[Window], now: datetime, zone: str) -> tuple[Row, ...]:
    """`free` are the safe windows of `span_of`, by start."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return tuple(
        Row(day, day == today, tuple(_cell(free, day, hour, now, zone) for hour in range(HOURS)))
        for day in (today + n * _DAY for n in range(DAYS))
    )


def _cell(free: Sequence[Window], day: date, hour: int, now: datetime, zone: str) -> Cell:
    """On DST nights an hour lasts two, or none."""
    span = Window(_instant(day, hour, zone), _instant(day, hour + 1, zone))
    name = f"{hour:02}:00–{hour + 1:02}:00"
    if span.start >= span.end:
        return Cell("none", f"{name} does not exist on this day")
    if span.end <= now:
        return Cell("past", f"{name} is over")
    is_now = span.start <= now
    rest = Window(max(span.start, now), span.end)
    safe = [
        Window(max(one.start, rest.start), min(one.end, rest.end))
        for one in free
        if one.touches(rest) and one.start < one.end
    ]
    if safe == [rest]:
        return Cell("safe", f"{name} safe", is_now)
    if not safe:
        return Cell("blocked", f"{name} blocked", is_now)
    parts = (f"{_clock(one.start, zone)}–{_clock(one.end, zone)}" for one in safe)
    kind = "partly" if safe[0].start == rest.start else "partly late"
    return Cell(kind, f"{name} partly safe: {', '.join(parts)}", is_now)


def _instant(day: date, hour: int, zone: str) -> datetime:
    local = datetime.combine(day, time()) + timedelta(hours=hour)
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"
