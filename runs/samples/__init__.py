"""The words for what a run measured: batches of a tool, seconds, endpoints, metrics and totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from runs.samples.sketch import Sketch

REQUESTS = "requests"
"""The metric of every tool's requests, whose values are latencies in milliseconds."""
Kind = Literal["trend", "rate", "counter", "gauge"]


class Key(NamedTuple):
    """What was measured, of which endpoint, with which answer: `200`, `ECONNREFUSED` or nothing."""

    metric: str
    name: str
    status: str = ""


@dataclass(slots=True)
class Cell:
    """One key in one second: its values as they came.

    `unanswered` are requests that ended without any answer (refused, blocked): they count and
    belong to `errors`, but a wait that never took place must not make a dead site look fast.
    """

    values: list[float] = field(default_factory=list)
    errors: int = 0
    unanswered: int = 0

    @property
    def count(self) -> int:
        return len(self.values) + self.unanswered

    def add(self, other: "Cell") -> None:
        self.values += other.values
        self.errors += other.errors
        self.unanswered += other.unanswered


@dataclass(slots=True)
class Batch:
    """What one read of a tool's output held, by second and key; the newest number of users.

    `kinds` names the kind of each metric beside the requests that the tool declared by now.
    """

    cells: dict[tuple[int, Key], Cell] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def add(self, second: int, key: Key, value: float | None, *, failed: bool = False) -> None:
        """One sample; a value of None says that no answer came."""
        cell = self.cell(second, key)
        if value is None:
            cell.unanswered += 1
        else:
            cell.values.append(value)
        cell.errors += failed

    def cell(self, second: int, key: Key) -> Cell:
        found = self.cells.get((second, key))
        if found is None:
            found = self.cells[second, key] = Cell()
        return found


@dataclass(slots=True)
class Tally:
    """One key over a span: how many samples, how many of them errors, their sum and sketch."""

    count: int = 0
    errors: int = 0
    total: float = field(default=0.0, compare=False)  # its last digits depend on the order
    sketch: Sketch = field(default_factory=Sketch)

    def take(self, cell: Cell) -> None:
        self.count += cell.count
        self.errors += cell.errors
        self.total += sum(cell.values)
        self.sketch.add(cell.values)

    def add(self, other: "Tally") -> None:
        self.count += other.count
        self.errors += other.errors
        self.total += other.total
        self.sketch.merge(other.sketch)

    def copy(self) -> "Tally":
        return Tally(self.count, self.errors, self.total, self.sketch.copy())


class _Measured:
    """Words shared by everything that counts requests and keeps their latencies."""

    requests: int
    errors: int
    sketch: Sketch

    @property
    def error_rate(self) -> float:
        """Between 0 and 1; 0 where nothing was requested."""
        return self.errors / self.requests if self.requests else 0.0

    def quantile_ms(self, q: float) -> float | None:
        return self.sketch.quantile(q)


@dataclass(frozen=True, slots=True)
class Second(_Measured):
    """One second: its requests together, and by key everything that was measured in it.

    While it is open its cells are not told.
    """

    at: int
    requests: int
    errors: int
    users: int | None
    sketch: Sketch
    cells: Mapping[Key, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint(_Measured):
    name: str
    requests: int
    errors: int
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric beside the requests, over the whole run. `last` is what a gauge shows."""

    name: str
    kind: Kind
    count: int
    total: float
    last: float | None
    sketch: Sketch

    @property
    def rate(self) -> float | None:
        """The share of a rate's samples that were not zero, between 0 and 1."""
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Totals(_Measured):
    """The whole run. `users` is the most at once, `seconds` the span from first to last request."""

    requests: int
    errors: int
    users: int | None
    seconds: int
    sketch: Sketch

    @property
    def rps(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0
