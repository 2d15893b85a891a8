"""A mergeable histogram of durations whose buckets are the float64's own leading bits.

Seven bits of mantissa make a bucket at most 1/128 wide, so its middle is off by less than 0.4 %.
Nothing averages percentiles: seconds, endpoints, shards and tools merge their buckets instead.
"""

import math
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

_SHIFT = 52 - 7
_NOT_FINITE = 0x7FF << 7  # the bucket of infinity; NaN lies above it
_VERSION = 1
_HEAD = struct.Struct("<Bdd")


class Sketch:
    """Counts by bucket, with the exact smallest and largest value.

    A duration below zero is a clock that stepped back: it counts as zero.
    """

    __slots__ = ("_buckets", "count", "max", "min")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.min = math.inf
        self.max = -math.inf

    def add(self, values: Sequence[float]) -> None:
        """Add a batch. Raises ValueError, and adds nothing, when a value is not finite."""
        if not values:
            return
        if not math.isfinite(sum(values)) and not all(map(math.isfinite, values)):
            raise ValueError("a duration must be a finite number")
        lowest, highest = min(values), max(values)
        if lowest == highest:  # as where all of a counter's are 1
            self._buckets[next(_buckets_of([lowest]))] += len(values)
        else:
            self._buckets.update(_buckets_of(values))
        if lowest <= 0:
            self._count_below_as_zero()
        self._widen(len(values), max(0.0, lowest), max(0.0, highest))

    def merge(self, other: "Sketch") -> None:
        self._buckets.update(other._buckets)
        self._widen(other.count, other.min, other.max)

    def take_away(self, other: "Sketch") -> None:
        """Undo a merge of `other`. The ends stay: only the caller knows those of what is left."""
        self._buckets -= other._buckets
        self.count -= other.count

    def copy(self) -> "Sketch":
        twin = Sketch()
        twin.merge(self)
        return twin

    def quantile(self, q: float) -> float | None:
        """The value of nearest rank, within 0.5 %; None where nothing was added."""
        if not 0 <= q <= 1:
            raise ValueError("a quantile lies between 0 and 1")
        if not self.count:
            return None
        if q in {0, 1}:
            return self.max if q else self.min
        rank = max(1, math.ceil(q * self.count))
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return min(max(_middle(bucket), self.min), self.max)
        return self.max

    def to_bytes(self) -> bytes:
        """Version, exact ends, then per bucket its distance from the one before and its count."""
        out = bytearray(_HEAD.pack(_VERSION, self.min, self.max))
        last = 0
        for bucket in sorted(self._buckets):
            _write(out, bucket - last)
            _write(out, self._buckets[bucket])
            last = bucket
        return bytes(out)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises ValueError on bytes that to_bytes did not write."""
        if len(data) < _HEAD.size or data[0] != _VERSION:
            raise ValueError("not a sketch of a known version")
        made = cls()
        _, made.min, made.max = _HEAD.unpack_from(data)
        numbers, bucket = _read(data[_HEAD.size :]), 0
        for distance in numbers:
            bucket += distance
            made._buckets[bucket] = number = next(numbers, 0)
            if not number or bucket >= _NOT_FINITE:
                raise ValueError("a sketch whose buckets make no sense")
        made.count = made._buckets.total()
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        ends = (self.min, self.max) == (other.min, other.max)
        return ends and self._buckets == other._buckets

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Sketch(count={self.count}, min={self.min:g}, max={self.max:g})"

    def _count_below_as_zero(self) -> None:
        for bucket in [bucket for bucket in self._buckets if bucket < 0]:
            self._buckets[0] += self._buckets.pop(bucket)

    def _widen(self, count: int, lowest: float, highest: float) -> None:
        self.count += count
        self.min = min(self.min, lowest)
        self.max = max(self.max, highest)


def _buckets_of(values: Iterable[float]) -> Iterator[int]:
    """Below 0 where the sign is set, also that of -0.0."""
    return map(_SHIFT.__rrshift__, memoryview(array("d", values)).cast("B").cast("q"))


def _middle(bucket: int) -> float:
    if bucket == 0:
        return 0.0
    low, high = struct.unpack("<dd", struct.pack("<qq", bucket << _SHIFT, (bucket + 1) << _SHIFT))
    return float(low + (min(high, _LARGEST) - low) / 2)


_LARGEST = float.fromhex("0x1.fffffffffffffp+1023")


def _write(out: bytearray, number: int) -> None:
    """Seven bits a byte, the smallest first; the top bit says that more follow."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _read(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("a sketch that was cut short")
