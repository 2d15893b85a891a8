"""What is known of a value: between which bounds it lies, and what a comparison with it says."""

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

from runs.samples import Tally
from runs.samples.sketch import Sketch

_OFF = 1 / 256  # by how much of itself the middle of a sketch's bucket may be off
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SAME = {"==", "===", "!="}


class Span(NamedTuple):
    """Both ends included."""

    low: float
    high: float


NOUGHT = Span(0.0, 0.0)


def holds(span: Span, how: str, limit: float) -> bool | None:
    """None where it depends on where in the span the value lies."""
    if how in _SAME:
        if span.low <= limit <= span.high and span.low != span.high:
            return None
        return (span.low == limit == span.high) is (how != "!=")
    ends = {_OPERATORS[how](end, limit) for end in span}
    return ends.pop() if len(ends) == 1 else None


def average(tally: Tally) -> Span:
    mean = tally.total / tally.count
    return Span(mean, mean)


def share_of(total: float, seconds: Span) -> Span:
    """Of each second, of which only is known how many there were at least and at most."""
    most = total / seconds.low if seconds.low else math.copysign(math.inf, total)
    least = total / seconds.high
    return Span(min(least, most), max(least, most))


def quantile(sketch: Sketch, q: float) -> Span:
    """Between two ranks where it falls there, as k6 does; a sketch must not be empty."""
    at = q * (sketch.count - 1)
    below, part = _at_rank(sketch, math.floor(at)), at - math.floor(at)
    if not part:
        return below
    above = _at_rank(sketch, math.ceil(at))
    return Span(*(low * (1 - part) + high * part for low, high in zip(below, above, strict=True)))


def _at_rank(sketch: Sketch, rank: int) -> Span:
    """The ends are exact. A sketch counts what lies below zero as zero."""
    if rank in {0, sketch.count - 1}:
        value = sketch.max if rank else sketch.min
        return Span(value or -math.inf, value)
    value = sketch.quantile((rank + 0.5) / sketch.count) or 0.0
    off = value * _OFF
    low, high = max(sketch.min, value - off), min(sketch.max, value + off)
    return Span(low or -math.inf, high)
