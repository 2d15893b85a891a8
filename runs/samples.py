"""What a run measured: batches from a tool become seconds, endpoints and totals."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from runs.sketch import Sketch

__all__ = ["Aggregator", "Batch", "Cell", "Endpoint", "Second", "Sketch", "Totals"]

MOST_ENDPOINTS = 50
OTHER = "(other)"
MOST_OPEN = 600
LATENESS_S = 1.0


@dataclass(slots=True)
class Cell:
    """The requests of one name in one second.

    `unanswered` are those that ended without any answer (refused, blocked): they count as requests
    and belong to `errors`, but a wait that never took place must not make a dead site look fast.
    """

    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    unanswered: int = 0

    @property
    def requests(self) -> int:
        return len(self.latencies) + self.unanswered


@dataclass(slots=True)
class Batch:
    """What one read of a tool's output held, by (second, name); the newest number of users."""

    cells: dict[tuple[int, str], Cell] = field(default_factory=dict)
    users: dict[int, int] = field(default_factory=dict)

    def add(self, second: int, name: str, latency_ms: float | None, *, failed: bool) -> None:
        """One request; a latency of None says that no answer came."""
        cell = self.cells.get((second, name))
        if cell is None:
            cell = self.cells[second, name] = Cell()
        if latency_ms is None:
            cell.unanswered += 1
        else:
            cell.latencies.append(latency_ms)
        cell.errors += failed


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
    at: int
    requests: int
    errors: int
    users: int | None
    sketch: Sketch


@dataclass(frozen=True, slots=True)
class Endpoint(_Measured):
    name: str
    requests: int
    errors: int
    sketch: Sketch


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


@dataclass(slots=True)
class _Tally:
    requests: int = 0
    errors: int = 0
    sketch: Sketch = field(default_factory=Sketch)

    def add(self, cell: Cell, sketch: Sketch) -> None:
        self.requests += cell.requests
        self.errors += cell.errors
        self.sketch.merge(sketch)


class Aggregator:
    """Folds batches into seconds. Memory holds the open seconds, 51 endpoints and the totals.

    `shift_s` moves the tool's clock to ours, once and here.
    """

    def __init__(self, shift_s: int = 0) -> None:
        self._shift = shift_s
        self._open: dict[int, _Tally] = {}
        self._users: dict[int, int] = {}
        self._changed: set[int] = set()
        self._closed_to: int | None = None
        self._last_users: int | None = None
        self._most_users: int | None = None
        self._total = _Tally()
        self._endpoints: dict[str, _Tally] = {}
        self._span: tuple[int, int] | None = None

    def add(self, batch: Batch) -> None:
        for (at, name), cell in batch.cells.items():
            second = self._place(at + self._shift)
            sketch = Sketch()
            sketch.add(cell.latencies)
            for tally in (self._open[second], self._endpoint(name), self._total):
                tally.add(cell, sketch)
            self._changed.add(second)
            first, last = self._span or (second, second)
            self._span = (min(first, second), max(last, second))
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
            requests=total.requests,
            errors=total.errors,
            users=self._most_users,
            seconds=last - first + 1,
            sketch=total.sketch.copy(),
        )

    def endpoints(self) -> list[Endpoint]:
        """The busiest first, the collected rest last."""
        found = self._endpoints.items()
        busiest = sorted(found, key=lambda item: (item[0] == OTHER, -item[1].requests, item[0]))
        return [
            Endpoint(name, tally.requests, tally.errors, tally.sketch.copy())
            for name, tally in busiest
        ]

    def _place(self, second: int) -> int:
        """The open second that a sample of this time joins."""
        if self._closed_to is not None and second <= self._closed_to:
            second = min(self._open, default=self._closed_to + 1)
        if second not in self._open:
            if len(self._open) >= MOST_OPEN:
                return _nearest(second, self._open)
            self._open[second] = _Tally()
        return second

    def _endpoint(self, name: str) -> _Tally:
        known = self._endpoints
        if name not in known and len(known) - (OTHER in known) >= MOST_ENDPOINTS:
            name = OTHER
        if name not in known:
            known[name] = _Tally()
        return known[name]

    def _close(self, at: int) -> Second:
        word = self._word(at, self._open.pop(at))
        self._last_users = word.users
        self._users.pop(at, None)
        self._changed.discard(at)
        self._closed_to = at if self._closed_to is None else max(at, self._closed_to)
        return word

    def _word(self, at: int, tally: _Tally) -> Second:
        """Users are told about once a second: a second without news has those of the one before."""
        known = [second for second in self._users if second <= at]
        users = self._users[max(known)] if known else self._last_users
        return Second(at, tally.requests, tally.errors, users, tally.sketch.copy())


def _nearest(second: int, among: Iterable[int]) -> int:
    return min(among, key=lambda known: abs(known - second))
