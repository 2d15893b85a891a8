"""What a run measured: batches from a tool become seconds, endpoints, metrics and totals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from runs.sketch import Sketch

__all__ = [
    "REQUESTS",
    "Aggregator",
    "Batch",
    "Cell",
    "Endpoint",
    "Key",
    "Kind",
    "Metric",
    "Second",
    "Sketch",
    "Tally",
    "Totals",
]

REQUESTS = "requests"
"""The metric of every tool's requests, whose values are latencies in milliseconds."""
Kind = Literal["trend", "rate", "counter", "gauge"]
MOST_ENDPOINTS = 50
MOST_METRICS = 100
MOST_STATUSES = 12
OTHER = "(other)"
MOST_OPEN = 600
LATENESS_S = 1.0


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
        cell = self.cells.get((second, key))
        if cell is None:
            cell = self.cells[second, key] = Cell()
        if value is None:
            cell.unanswered += 1
        else:
            cell.values.append(value)
        cell.errors += failed


@dataclass(slots=True)
class Tally:
    """One key over a span: how many samples, how many of them errors, their sum and sketch."""

    count: int = 0
    errors: int = 0
    total: float = field(default=0.0, compare=False)  # its last digits depend on the order
    sketch: Sketch = field(default_factory=Sketch)

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
    """One second: its requests together, and by key everything that was measured in it."""

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


class _Open:
    """A second that may still get samples: the sum of its requests, and every key."""

    __slots__ = ("cells", "requests")

    def __init__(self) -> None:
        self.requests = Tally()
        self.cells: dict[Key, Tally] = {}

    def add(self, key: Key, found: Tally) -> None:
        if key.metric == REQUESTS:
            self.requests.add(found)
        self.cells.setdefault(key, Tally()).add(found)


class Aggregator:
    """Folds batches into seconds. Memory holds the open seconds, the names and metrics up to their
    limits, and the totals.

    `shift_s` moves the tool's clock to ours, once and here.
    """

    def __init__(self, shift_s: int = 0) -> None:
        self._shift = shift_s
        self._open: dict[int, _Open] = {}
        self._users: dict[int, int] = {}
        self._changed: set[int] = set()
        self._closed_to: int | None = None
        self._last_users: int | None = None
        self._most_users: int | None = None
        self._total = Tally()
        self._endpoints: dict[str, Tally] = {}
        self._statuses: dict[str, set[str]] = {}
        self._metrics: dict[str, Tally] = {}
        self._lasts: dict[str, float] = {}
        self._kinds: dict[str, Kind] = {}
        self._span: tuple[int, int] | None = None

    def add(self, batch: Batch) -> None:
        self._kinds.update(batch.kinds)
        for (at, key), cell in batch.cells.items():
            second = self._place(at + self._shift)
            self._take(second, self._limited(key), cell)
            self._changed.add(second)
        for at, users in sorted(batch.users.items()):
            second = self._place(at + self._shift)
            if self._users.get(second) != users:
                self._users[second] = users
                self._changed.add(second)
            self._most_users = max(users, self._most_users or 0)

    def closed(self, now_s: float, *, everything: bool = False) -> list[Second]:
        """Seconds that got final, in order: each stays open 1.0 s longer for the tool's last flush.

        A sample later than that joins the oldest open second, so that no request is lost.
        """
        done = sorted(at for at in self._open if everything or now_s >= at + 1 + LATENESS_S)
        return [self._close(at) for at in done]

    def open_second(self) -> Second | None:
        """The newest second that changed since the last call."""
        if not self._changed:
            return None
        newest = max(self._changed)
        self._changed.clear()
        return self._word(newest, self._open[newest])

    def totals(self) -> Totals:
        first, last = self._span or (0, -1)
        total = self._total
        return Totals(
            requests=total.count,
            errors=total.errors,
            users=self._most_users,
            seconds=last - first + 1,
            sketch=total.sketch.copy(),
        )

    def endpoints(self) -> list[Endpoint]:
        """The busiest first, the collected rest last."""
        found = self._endpoints.items()
        busiest = sorted(found, key=lambda item: (item[0] == OTHER, -item[1].count, item[0]))
        return [
            Endpoint(name, tally.count, tally.errors, tally.sketch.copy())
            for name, tally in busiest
        ]

    def metrics(self) -> list[Metric]:
        """What the tool measured beside the requests, by name."""
        return [
            Metric(
                name=name,
                kind=self._kinds.get(name, "trend"),
                count=tally.count,
                total=tally.total,
                last=self._lasts.get(name),
                sketch=tally.sketch.copy(),
            )
            for name, tally in sorted(self._metrics.items())
        ]

    def _take(self, second: int, key: Key, cell: Cell) -> None:
        sketch = Sketch()
        sketch.add(cell.values)
        found = Tally(cell.count, cell.errors, sum(cell.values), sketch)
        self._open[second].add(key, found)
        if key.metric != REQUESTS:
            self._metrics.setdefault(key.metric, Tally()).add(found)
            self._lasts[key.metric] = cell.values[-1]
            return
        self._total.add(found)
        self._endpoints.setdefault(key.name, Tally()).add(found)
        first, last = self._span or (second, second)
        self._span = (min(first, second), max(last, second))

    def _limited(self, key: Key) -> Key:
        """Names, statuses and metrics that a tool invents without end are collected as others."""
        metric, name, status = key
        if metric not in {REQUESTS, *self._metrics} and len(self._metrics) >= MOST_METRICS:
            metric = OTHER
        if name not in self._statuses and len(self._statuses) >= MOST_ENDPOINTS:
            name = OTHER
        statuses = self._statuses.setdefault(name, set())
        if status not in statuses and len(statuses) >= MOST_STATUSES:
            status = OTHER
        statuses.add(status)
        return Key(metric, name, status)

    def _place(self, second: int) -> int:
        """The open second that a sample of this time joins."""
        if self._closed_to is not None and second <= self._closed_to:
            second = min(self._open, default=self._closed_to + 1)
        if second not in self._open:
            if len(self._open) >= MOST_OPEN:
                return _nearest(second, self._open)
            self._open[second] = _Open()
        return second

    def _close(self, at: int) -> Second:
        word = self._word(at, self._open.pop(at))
        self._last_users = word.users
        self._users.pop(at, None)
        self._changed.discard(at)
        self._closed_to = at if self._closed_to is None else max(at, self._closed_to)
        return word

    def _word(self, at: int, found: _Open) -> Second:
        """Users are told about once a second: a second without news has those of the one before."""
        known = [second for second in self._users if second <= at]
        users = self._users[max(known)] if known else self._last_users
        requests = found.requests.copy()
        cells = {key: tally.copy() for key, tally in found.cells.items()}
        return Second(at, requests.count, requests.errors, users, requests.sketch, cells)


def _nearest(second: int, among: Iterable[int]) -> int:
    return min(among, key=lambda known: abs(known - second))
