"""Thresholds while a test runs: `for` every second of a span, `over` its sum, or the run so far."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from runs.samples import Tally
from runs.thresholds import measuring
from runs.thresholds.language import Threshold


@dataclass(frozen=True, slots=True)
class Moment:
    """One second as one threshold sees it; `found` is empty where nothing was measured."""

    at: int
    found: Tally
    users: int | None


@dataclass(frozen=True, slots=True)
class State:
    """Where a span stands after a second. `since` is the first second that it is about.

    `value` is what was measured, None where there was nothing to judge; `length` counts the
    seconds that are together by now.
    """

    since: int
    length: int
    value: float | None
    is_crossed: bool


class Span(Protocol):
    def see(self, moment: Moment) -> State:
        """Seconds come in order and without gaps."""


class Streak:
    """`for`: true in each second of the span. A second without anything to judge is not true."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._length = 0

    def see(self, moment: Moment) -> State:
        threshold = self._threshold
        value = measuring.measure(threshold, moment.found, seconds=1, users=moment.users)
        is_true = value is not None and measuring.is_crossed(threshold, value)
        self._length = self._length + 1 if is_true else 0
        since = moment.at - self._length + 1
        return State(since, self._length, value, self._length >= threshold.seconds)


class Window:
    """`over`: the samples of the last full span together. A window that is not full is not true."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._kept: deque[Tally] = deque()
        self._sum = Tally()

    def see(self, moment: Moment) -> State:
        self._slide(moment.found)
        length, threshold = len(self._kept), self._threshold
        since, value = moment.at - length + 1, None
        if length == threshold.seconds:
            value = measuring.measure(threshold, self._sum, seconds=length, users=None)
        is_crossed = value is not None and measuring.is_crossed(threshold, value)
        return State(since, length, value, is_crossed)

    def _slide(self, found: Tally) -> None:
        kept, together = self._kept, self._sum
        kept.append(found)
        together.add(found)
        if len(kept) > self._threshold.seconds:
            oldest = kept.popleft()
            together.count -= oldest.count
            together.errors -= oldest.errors
            together.sketch.take_away(oldest.sketch)
            together.sketch.min = min(tally.sketch.min for tally in kept)
            together.sketch.max = max(tally.sketch.max for tally in kept)
        together.total = math.fsum(tally.total for tally in kept)


class SoFar:
    """No timeframe: how the whole run stands by now. The verdict waits for its end."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._sum, self._length = Tally(), 0
        self._users: int | None = None

    def see(self, moment: Moment) -> State:
        self._sum.add(moment.found)
        self._length += 1
        if moment.users is not None:
            self._users = max(moment.users, self._users or 0)
        value = measuring.measure(
            self._threshold, self._sum, seconds=self._length, users=self._users
        )
        is_crossed = value is not None and measuring.is_crossed(self._threshold, value)
        return State(moment.at - self._length + 1, self._length, value, is_crossed)


def span_of(threshold: Threshold) -> Span:
    kinds: dict[str, type[Streak | Window | SoFar]] = {"for": Streak, "over": Window}
    return kinds.get(threshold.when, SoFar)(threshold)
