"""The free time between protected spans. Windows in, windows out; everything half-open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from calendar_guard.words import Policy, Window

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Margins:
    """What a run needs on top of its own time, before its start and after its end."""

    before: timedelta
    after: timedelta

    def around(self, start: datetime, duration: timedelta) -> Window:
        return Window(start - self.before, start + duration + self.after)


def margins(policy: Policy) -> Margins:
    return Margins(policy.buffer, policy.stop_time + policy.buffer)


def merge(spans: Iterable[Window]) -> list[Window]:
    """Connected unions, by start; what adjoins is connected."""
    merged: list[Window] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            if span.end > merged[-1].end:
                merged[-1] = Window(merged[-1].start, span.end)
        else:
            merged.append(span)
    return merged


def free(blocks: list[Window], margins: Margins, window: Window) -> Iterator[Window]:
    """Spans [first possible start, last possible end] of runs inside the window."""
    begin = window.start
    for block in blocks:
        end = min(block.start - margins.after, window.end)
        if begin <= end:
            yield Window(begin, end)
        begin = max(begin, whole_minute(block.end + margins.before))
    if begin <= window.end:
        yield Window(begin, window.end)


def first_fit(
    blocks: list[Window], margins: Margins, window: Window, duration: timedelta
) -> Window | None:
    """The earliest free span inside the window that a run of this length fits into."""
    fitting = (gap for gap in free(blocks, margins, window) if gap.start + duration <= gap.end)
    return next(fitting, None)


def longest(blocks: list[Window], margins: Margins, window: Window) -> Window | None:
    """The longest free span, the earliest of equals; None where nothing is free."""
    gaps = [gap for gap in free(blocks, margins, window) if gap.start < gap.end]
    return max(gaps, key=lambda gap: gap.end - gap.start, default=None)


def share(gaps: list[Window], hour: Window) -> float:
    """Which part of `hour` the gaps cover, from 0 to 1."""
    covered = sum(
        (min(gap.end, hour.end) - max(gap.start, hour.start) for gap in gaps if gap.touches(hour)),
        timedelta(0),
    )
    return round(covered / (hour.end - hour.start), 4)


def whole_minute(moment: datetime) -> datetime:
    rest = timedelta(seconds=moment.second, microseconds=moment.microsecond)
    return moment + (_MINUTE - rest) if rest else moment
