"""How far a measured figure may lie from the true one: when is a difference more than noise?

An estimate is a figure with the range in which the true one lies 99 times of 100, given how many
requests there were. Two differ when their ranges do not touch and the step between them matters:
the same test run twice is some per cent apart, and Artillery tells whole milliseconds.
"""

import math
from dataclasses import dataclass

from runs.samples.sketch import Sketch

SURE = 2.576  # standard deviations on either side that hold 99 of 100
SKETCH_ERROR = 0.004


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float

    def differs(self, other: "Estimate", *, least: float = 0.0, share: float = 0.0) -> bool:
        """By at least so much, and at least this share of the other; and not by chance."""
        step = abs(self.value - other.value)
        if step == 0 or step < max(least, share * abs(other.value)):
            return False
        return self.high < other.low or other.high < self.low


def quantile(sketch: Sketch, q: float) -> Estimate | None:
    """By ranks, whatever the shape of the distribution; None where there is nothing."""
    if not sketch.count:
        return None
    off = SURE * math.sqrt(q * (1 - q) / sketch.count) + 1 / sketch.count
    value, low, high = (sketch.quantile(min(max(at, 0.0), 1.0)) for at in (q, q - off, q + off))
    if value is None or low is None or high is None:
        return None
    return Estimate(value, low * (1 - SKETCH_ERROR), high * (1 + SKETCH_ERROR))


def share(hits: int, of: int) -> Estimate | None:
    """In per cent. Wilson's interval: sound at no hit too."""
    if not of:
        return None
    found, squared = hits / of, SURE * SURE / of
    middle = found + squared / 2
    off = SURE * math.sqrt(found * (1 - found) / of + squared / (4 * of))
    low, high = (100 * (middle + way) / (1 + squared) for way in (-off, off))
    return Estimate(100 * found, low, high)


def rate(count: int, seconds: int) -> Estimate | None:
    """A second, as arrivals by chance would scatter.

    The first and the last second count as whole ones, though requests may fill only parts of them:
    the same test is 8 s long by one clock and 9 s by another.
    """
    if not seconds:
        return None
    off = SURE * math.sqrt(count)
    high = (count + off) / (seconds - 1) if seconds > 1 else math.inf
    return Estimate(count / seconds, (count - off) / seconds, high)
