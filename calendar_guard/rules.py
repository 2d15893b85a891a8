"""May a load test run? One pure judge over the whole interval; the caller says what time it is.

Why it is so: docs/decisions/0002 and 0003. Its words are in `words`, and taken from here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from calendar_guard import zones
from calendar_guard.words import (
    NO_WINDOW,
    Blocker,
    Calendar,
    Policy,
    Verdict,
    WeddingSpan,
    Window,
    verdict_from_json,
)

__all__ = [
    "Blocker",
    "Calendar",
    "Policy",
    "Verdict",
    "WeddingSpan",
    "Window",
    "in_force",
    "judge",
    "protected_spans",
    "verdict_from_json",
    "zones_in_force",
]

WEEKDAY = "protected_weekday"
WEDDING = "wedding"
# A venue's Saturdays stay protected this long after its last wedding.
ZONE_STAYS = timedelta(days=7)
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def judge(*, calendar: Calendar, start: datetime, duration: timedelta, now: datetime) -> Verdict:
    """Judge a run of at most `duration`; ValueError where the question makes no sense."""
    if duration < timedelta(0):
        raise ValueError("A run cannot last less than no time.")
    try:
        return _judge(calendar, zones.utc(start), duration, zones.utc(now))
    except OverflowError:
        raise ValueError(
            f"A run from {start.isoformat()} over {_words(duration)} lies too near"
            " the edge of what a calendar can hold."
        ) from None


def in_force(verdict: Verdict, now: datetime) -> Blocker | None:
    """The protected day that holds right now, its buffer left aside."""
    days = (blocker for blocker in verdict.blockers if blocker.rule == WEEKDAY)
    return next((day for day in days if day.start <= now < day.end), None)


def protected_spans(*, calendar: Calendar, window: Window, now: datetime) -> tuple[Blocker, ...]:
    """What the calendar protects in a window: one per wedding, one per zone and protected day."""
    return tuple(span.blocker() for span in _protected(calendar, window, zones.utc(now)))


def zones_in_force(*, calendar: Calendar, now: datetime) -> set[str]:
    """Operating zones, and those of weddings to come or over for less than seven days."""
    return {*calendar.policy.zones} | {
        wedding.zone
        for wedding in calendar.weddings
        if wedding.status != "cancelled" and now - wedding.lasts_until(now) < ZONE_STAYS
    }


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """A protected span before it is put into words; sorts by time."""

    start: datetime
    end: datetime
    rule: str
    name: str
    zone: str
    open_ended: bool = False

    def blocker(self) -> Blocker:
        begins, ends = zones.spoken(self.start, self.zone), zones.spoken(self.end, self.zone)
        subject = f"for {self.name}"
        if self.rule == WEEKDAY:
            subject = f"as {self.name} in {zones.city(self.zone)}"
        until = "until at least" if self.open_ended else "until"
        what = f"Protected {subject} from {begins} {until} {ends}"
        return Blocker(self.rule, what, self.start, self.end)


def _judge(calendar: Calendar, start: datetime, duration: timedelta, now: datetime) -> Verdict:
    policy = calendar.policy
    after = policy.stop_time + policy.buffer
    judged = Window(start - policy.buffer, start + duration + after)
    outlook = Window(judged.start, max(judged.end, start + policy.horizon + after))
    protected = _protected(calendar, outlook, now)
    touched = [span for span in protected if span.start < judged.end]
    window = _next_window(policy, protected, judged, start, duration)
    reason = _reason(touched, start, policy)
    if window is None:
        reason += f"{NO_WINDOW}{_words(duration)} fits within {_days(policy.horizon)}"
    return Verdict(not touched, reason, tuple(span.blocker() for span in touched), window)


def _protected(calendar: Calendar, window: Window, now: datetime) -> list[_Span]:
    return sorted((*_protected_days(calendar, window, now), *_weddings(calendar, window, now)))


def _protected_days(calendar: Calendar, window: Window, now: datetime) -> Iterator[_Span]:
    weekdays = frozenset(calendar.policy.protected_weekdays)
    for zone in zones_in_force(calendar=calendar, now=now):
        tz = zones.find(zone)
        # A day more on both sides: a fold or a gap at midnight widens the day beyond its date.
        first = window.start.astimezone(tz).date() - _DAY
        last = window.end.astimezone(tz).date() + _DAY
        for day in _dates(first, last):
            if day.weekday() in weekdays:
                begins, ends = zones.local_day(zone, day)
                if begins < window.end and window.start < ends:
                    yield _Span(begins, ends, WEEKDAY, _DAY_NAMES[day.weekday()], zone)


def _weddings(calendar: Calendar, window: Window, now: datetime) -> Iterator[_Span]:
    for wedding in calendar.weddings:
        span = wedding.protection(now)
        if span is not None and span.touches(window):
            name = f"wedding {wedding.id}"
            live = wedding.status == "live"
            yield _Span(span.start, span.end, WEDDING, name, wedding.zone, live)


def _reason(touched: list[_Span], start: datetime, policy: Policy) -> str:
    if not touched:
        return "No active weddings detected"
    days = dict.fromkeys(span.name for span in touched if span.rule == WEEKDAY)
    weddings = [span for span in touched if span.rule == WEDDING]
    # The first half counts where there is no buffer.
    active = sum(span.start <= start or span.start < start + policy.buffer for span in weddings)
    later = len(weddings) - active
    parts = [f"{day} wedding day protection" for day in days]
    if active:
        parts.append(f"{active} active wedding{'s' if active > 1 else ''} in progress")
    if later:
        which = "a wedding" if later == 1 else f"{later} weddings"
        parts.append(f"{which} would begin before the run ends")
    return "; ".join(parts)


def _next_window(
    policy: Policy, protected: list[_Span], judged: Window, start: datetime, duration: timedelta
) -> Window | None:
    after = policy.stop_time + policy.buffer
    blocks = _merge(protected)
    begin = start
    if any(block.touches(judged) for block in blocks):
        begin = _whole_minute(_advised(policy, protected, judged, start))
        for block in blocks:
            if block.touches(Window(begin - policy.buffer, begin + duration + after)):
                begin = _whole_minute(block.end + policy.buffer)
    limit = start + policy.horizon
    ends = (block.start - after for block in blocks if block.start >= begin)
    end = min(limit, next(ends, limit))
    return Window(begin, end) if begin + duration <= end else None


def _advised(policy: Policy, protected: list[_Span], judged: Window, start: datetime) -> datetime:
    """Monday morning after the first protected weekday that is touched, else at once."""
    days = _merge(span for span in protected if span.rule == WEEKDAY)
    touched = next((day for day in days if day.touches(judged)), None)
    if touched is None:
        return start
    first = touched.end.astimezone(zones.find(policy.home_zone)).date() - _DAY
    mornings = (
        zones.earliest(datetime.combine(day, time(policy.monday_hour)), policy.home_zone)
        for day in _dates(first, first + 10 * _DAY)
        if day.weekday() == 0
    )
    return next(morning for morning in mornings if morning >= touched.end)


def _merge(spans: Iterable[_Span]) -> list[Window]:
    """Connected unions of spans that come sorted by start; what adjoins is connected."""
    merged: list[Window] = []
    for span in spans:
        if merged and span.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(Window(span.start, span.end))
    return merged


def _whole_minute(moment: datetime) -> datetime:
    rest = timedelta(seconds=moment.second, microseconds=moment.microsecond)
    return moment + (_MINUTE - rest) if rest else moment


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _words(span: timedelta) -> str:
    """`1 d 12 h`, `1 min 30 s`: whole seconds, rounded up."""
    minutes, seconds = divmod(-(span // timedelta(seconds=-1)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def _days(span: timedelta) -> str:
    if span % _DAY:
        return _words(span)
    return f"{span.days} day{'' if span.days == 1 else 's'}"
