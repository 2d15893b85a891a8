"""May a load test run? One pure judge over the whole interval; the caller says what time it is.

Why it is so: docs/decisions/0002 and 0003. Its words are in `words`, and taken from here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from calendar_guard import gaps, zones
from calendar_guard.days import resolve, zones_in_force
from calendar_guard.words import (
    NO_WINDOW,
    Blocker,
    Calendar,
    Day,
    Days,
    HoldSpan,
    Policy,
    Verdict,
    WeddingSpan,
    Window,
    verdict_from_json,
)

__all__ = [
    "NO_WINDOW",
    "STALE",
    "VERSION",
    "WEEKDAY",
    "Blocker",
    "Calendar",
    "Day",
    "Days",
    "HoldSpan",
    "Policy",
    "Verdict",
    "WeddingSpan",
    "Window",
    "heat_map",
    "in_force",
    "judge",
    "judged_and_outlook",
    "protected_spans",
    "resolve",
    "verdict_from_json",
    "windows",
    "zones_in_force",
]

# Goes up whenever the same calendar and question may get another answer; it is kept with verdicts.
VERSION = 3
WEEKDAY = "protected_weekday"
WEDDING = "wedding"
HOLD = "hold"
STALE = "stale_calendar"
# Beyond everything that a calendar holds.
_NEVER = datetime(2300, 1, 1, tzinfo=UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


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


def judged_and_outlook(
    policy: Policy, start: datetime, duration: timedelta
) -> tuple[Window, Window]:
    """What a run needs free, and how far its judge looks for another time."""
    judged = policy.around(Window(start, start + duration))
    return judged, policy.around(Window(start, start + max(duration, policy.horizon)))


def in_force(verdict: Verdict, now: datetime) -> Blocker | None:
    """The protected day that holds right now, its buffer left aside."""
    days = (blocker for blocker in verdict.blockers if blocker.rule == WEEKDAY)
    return next((day for day in days if day.end and day.start <= now < day.end), None)


def protected_spans(*, calendar: Calendar, window: Window, now: datetime) -> tuple[Blocker, ...]:
    """What the calendar protects in a window: one per wedding, hold, and zone's protected day."""
    return tuple(span.blocker() for span in _protected(calendar, window, zones.utc(now)))


def windows(
    *, calendar: Calendar, window: Window, duration: timedelta, now: datetime
) -> tuple[Window, ...]:
    """All safe windows in [start, end) that a run of this length fits into, the judge's way."""
    blocks = _blocks(calendar, window, now)
    return tuple(gaps.fitting(blocks, calendar.policy, window, duration))


def heat_map(*, calendar: Calendar, window: Window, now: datetime) -> tuple[float, ...]:
    """For each hour of the window, the share of it in which a run may be under way: 0 to 1."""
    free = list(gaps.free(_blocks(calendar, window, now), calendar.policy, window))
    hours = (window.end - window.start) // _HOUR
    return tuple(
        gaps.share(free, Window(window.start + n * _HOUR, window.start + (n + 1) * _HOUR))
        for n in range(hours)
    )


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
        begins = zones.spoken(self.start, self.zone)
        if self.rule == STALE:
            what = f"The wedding calendar is known only until {begins}: {self.name}"
            return Blocker(self.rule, what, self.start, None)
        subject = f"for {self.name}"
        if self.rule == WEEKDAY:
            subject = f"as {self.name} in {zones.city(self.zone)}"
        until = "until at least" if self.open_ended else "until"
        what = f"Protected {subject} from {begins} {until} {zones.spoken(self.end, self.zone)}"
        return Blocker(self.rule, what, self.start, self.end)


def _judge(calendar: Calendar, start: datetime, duration: timedelta, now: datetime) -> Verdict:
    policy = calendar.policy
    judged, outlook = judged_and_outlook(policy, start, duration)
    days = calendar.days or resolve(calendar=calendar, outlook=outlook, now=now)
    protected = sorted((*_days(days), *_others(calendar, outlook, now)))
    touched = [span for span in protected if span.start < judged.end]
    blocks = gaps.merge([*(Window(s.start, s.end) for s in protected), *calendar.ahead])
    begin = start
    if touched:
        begin = gaps.whole_minute(_advised(days, judged, start))
    search = Window(begin, start + policy.horizon)
    window = next(gaps.fitting(blocks, policy, search, duration), None)
    reason = _reason(touched, start, policy)
    if window is None:
        search = Window(start, start + policy.horizon)
        reason += _nothing_fits(policy, duration, gaps.longest(blocks, policy, search))
    return Verdict(not touched, reason, tuple(span.blocker() for span in touched), window)


def _blocks(calendar: Calendar, window: Window, now: datetime) -> list[Window]:
    spans = _protected(calendar, calendar.policy.around(window), zones.utc(now))
    return gaps.merge([*(Window(span.start, span.end) for span in spans), *calendar.ahead])


def _protected(calendar: Calendar, window: Window, now: datetime) -> list[_Span]:
    days = resolve(calendar=calendar, outlook=window, now=now)
    return sorted((*_days(days), *_others(calendar, window, now)))


def _days(days: Days) -> Iterator[_Span]:
    for day in days.days:
        yield _Span(day.start, day.end, WEEKDAY, day.name, day.zone)


def _others(calendar: Calendar, window: Window, now: datetime) -> Iterator[_Span]:
    for wedding in calendar.weddings:
        span = wedding.protection(now)
        if span is not None and span.touches(window):
            name = f"wedding {wedding.id}"
            live = wedding.status == "live"
            yield _Span(span.start, span.end, WEDDING, name, wedding.zone, live)
    home = calendar.policy.home_zone
    for hold in calendar.holds:
        if Window(hold.start, hold.end).touches(window):
            yield _Span(hold.start, hold.end, HOLD, f"hold {hold.id}", home)
    if calendar.complete_until is not None and calendar.complete_until < window.end:
        yield _Span(calendar.complete_until, _NEVER, STALE, calendar.incomplete_why, home)


def _reason(touched: list[_Span], start: datetime, policy: Policy) -> str:
    if not touched:
        return "No active weddings detected"
    parts = [
        f"{day} wedding day protection"
        for day in dict.fromkeys(span.name for span in touched if span.rule == WEEKDAY)
    ]
    parts += _counted(touched, WEDDING, "wedding", "active wedding{} in progress", start, policy)
    parts += _counted(touched, HOLD, "hold", "hold{} in force", start, policy)
    if any(span.rule == STALE for span in touched):
        parts.append("the wedding calendar is not known to be complete")
    return "; ".join(parts)


def _counted(
    touched: list[_Span], rule: str, one: str, active: str, start: datetime, policy: Policy
) -> list[str]:
    spans = [span for span in touched if span.rule == rule]
    # The first half counts where there is no buffer.
    begun = sum(span.start <= start or span.start < start + policy.buffer for span in spans)
    later = len(spans) - begun
    parts = [f"{begun} {active.format('s' if begun > 1 else '')}"] if begun else []
    if later:
        which = f"a {one}" if later == 1 else f"{later} {one}s"
        parts.append(f"{which} would begin before the run ends")
    return parts


def _nothing_fits(policy: Policy, duration: timedelta, longest: Window | None) -> str:
    """After the reason: that nothing fits, and what would."""
    said = f"{NO_WINDOW}{_words(duration)} fits within {_days_words(policy.horizon)}"
    if longest is None:
        return said + ", and none of any length"
    length = longest.end - longest.start
    whole = length - length % timedelta(minutes=1) or length
    begins = zones.spoken(longest.start, policy.home_zone)
    return f"{said}, the longest is {_words(whole)} from {begins}"


def _advised(days: Days, judged: Window, start: datetime) -> datetime:
    """Monday morning after the first protected weekday that is touched, else at once."""
    blocks = gaps.merge(Window(day.start, day.end) for day in days.days)
    touched = next((block for block in blocks if block.touches(judged)), None)
    if touched is None:
        return start
    return next(morning for morning in days.mornings if morning >= touched.end)


def _words(span: timedelta) -> str:
    """`1 d 12 h`, `1 min 30 s`: whole seconds, rounded up."""
    minutes, seconds = divmod(-(span // timedelta(seconds=-1)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def _days_words(span: timedelta) -> str:
    if span % _DAY:
        return _words(span)
    return f"{span.days} day{'' if span.days == 1 else 's'}"
