"""The trend of a plan as a drawing: where each run's mark stands, in per cent of its box."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runs.services import TrendPoint

LEFT, RIGHT, TOP, BOTTOM = 7.0, 97.0, 10.0, 92.0
LINES = 4
KINDS = {"passed": "passed", "failed": "failed", "aborted": "aborted"}


@dataclass(frozen=True, slots=True)
class Mark:
    """p95 of one run at (x, y), with its reach from p50 down to p99 up; `kind` is its verdict's.

    A run without figures stands on the ground: y is that of zero and `has_figures` False.
    """

    point: TrendPoint
    kind: str
    x: float
    y: float
    low: float
    high: float
    has_figures: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A grid line at y; `value` in milliseconds."""

    y: float
    value: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """`steps` lead from a run to the next one that was measured, as (x1, y1, x2, y2)."""

    marks: tuple[Mark, ...]
    steps: tuple[tuple[float, float, float, float], ...]
    grid: tuple[Line, ...]
    baseline: Mark | None


def draw(points: Sequence[TrendPoint]) -> Drawing | None:
    """Oldest first, evenly spaced: what counts is which run came after which. None: nothing yet."""
    highest = max((p.p99_ms for p in points if p.p99_ms is not None), default=None)
    if highest is None:
        return None
    step = _step(highest / LINES)
    top = step * max(1, math.ceil(highest / step))
    marks = tuple(_mark(point, _x(n, len(points)), top) for n, point in enumerate(points))
    measured = [mark for mark in marks if mark.has_figures]
    return Drawing(
        marks=marks,
        steps=tuple((one.x, one.y, other.x, other.y) for one, other in pairwise(measured)),
        grid=tuple(Line(_y(n * step, top), n * step) for n in range(round(top / step) + 1)),
        baseline=next((mark for mark in measured if mark.point.is_baseline), None),
    )


def _mark(point: TrendPoint, x: float, top: float) -> Mark:
    p50, p95, p99 = (value or 0.0 for value in (point.p50_ms, point.p95_ms, point.p99_ms))
    return Mark(
        point=point,
        kind=KINDS.get(point.state, "errored"),
        x=x,
        y=_y(p95, top),
        low=_y(p50, top),
        high=_y(p99, top),
        has_figures=point.p95_ms is not None,
    )


def _x(number: int, of: int) -> float:
    if of == 1:
        return (LEFT + RIGHT) / 2
    return round(LEFT + (RIGHT - LEFT) * number / (of - 1), 3)


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 3)


def _step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 ... that is at least so much."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(power * size for size in (1, 2, 5, 10) if power * size >= least * 0.999999)
