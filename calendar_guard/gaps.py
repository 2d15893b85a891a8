"""The free time between protected spans. Windows in, windows out; everything half-open."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from calendar_guard.words import Policy, Window

_MINUTE = timedelta(minutes=1)


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


def free(blocks: list[Window], policy: Policy, window: Window) -> Iterator[Window]:
    """Spans [first possible start, last possible end] of runs inside the window."""
    begin = window.start
    for block in blocks:
        end = min(block.start - policy.after, window.end)
        if begin <= end:
            yield Window(begin, end)
        begin = max(begin, whole_minute(block.end + policy.before))
    if begin <= window.end:
        yield Window(begin, window.end)


def fitting(
    blocks: list[Window], policy: Policy, window: Window, duration: timedelta
) -> Iterator[Window]:
    """The free spans inside the window that a run of this length fits into."""
    return (gap for gap in free(blocks, policy, window) if gap.start + duration <= gap.end)


def longest(blocks: list[Window], policy: Policy, window: Window) -> Window | None:
    """The longest free span, the earliest of equals; None where nothing is free."""
    gaps = [gap for gap in free(blocks, policy, window) if gap.start < gap.end]
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
