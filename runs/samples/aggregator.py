"""Folds what a tool tells into seconds and totals. Its memory does not grow with the run.

It holds the open seconds, the totals, and names, statuses and metrics up to their limits: a tool
that floods it loses detail, never a sample.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runs.samples import REQUESTS, Batch, Cell, Endpoint, Key, Kind, Metric, Second, Tally, Totals
from runs.samples.limits import OTHER, Limits

MOST_OPEN = 120
MOST_WAITING = 1000
LATENESS_S = 1.0
FUTURE_S = 10  # a tool's clock is ours: so much later than the last look it tells of, at most


class _Open:
    """A second that may still get samples.

    Values wait until they are many or asked for: a thousand at once are counted three times as
    fast as in the pieces in which a tool writes them.
    """

    def __init__(self) -> None:
        self._waiting: dict[Key, Cell] = {}
        self._tallies: dict[Key, Tally] = {}

    def add(self, key: Key, cell: Cell) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = Cell()
        waiting.add(cell)
        if len(waiting.values) > MOST_WAITING:
            self._count(key)

    def fold(self, key: Key, tally: Tally) -> None:
        self._tallies.setdefault(key, Tally()).add(tally)

    def tallies(self) -> dict[Key, Tally]:
        for key in list(self._waiting):
            self._count(key)
        return self._tallies

    def requests(self) -> Tally:
        for key in [key for key in self._waiting if key.metric == REQUESTS]:
            self._count(key)
        requests = Tally()
        for key, tally in self._tallies.items():
            if key.metric == REQUESTS:
                requests.add(tally)
        return requests

    def _count(self, key: Key) -> None:
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        tally.take(self._waiting.pop(key))


@dataclass(slots=True)
class _Sums:
    """All requests, the requests by endpoint, and the other metrics, of some seconds."""

    requests: Tally = field(default_factory=Tally)
    endpoints: dict[str, Tally] = field(default_factory=dict)
    metrics: dict[str, Tally] = field(default_factory=dict)

    def add(self, cells: Mapping[Key, Tally]) -> None:
        for (metric, name, _), tally in cells.items():
            if metric == REQUESTS:
                self.requests.add(tally)
                self.endpoints.setdefault(name, Tally()).add(tally)
            else:
                self.metrics.setdefault(metric, Tally()).add(tally)

    def copy(self) -> "_Sums":
        endpoints = {name: tally.copy() for name, tally in self.endpoints.items()}
        metrics = {name: tally.copy() for name, tally in self.metrics.items()}
        return _Sums(self.requests.copy(), endpoints, metrics)


class Aggregator:
    """`shift_s` moves the tool's clock to ours, once and here. A sample that tells of a time
    not `within` the run's, as a script may write any, joins the nearest second that is.
    """

    def __init__(self, shift_s: int = 0, *, within: range | None = None) -> None:
        self._shift, self._within = shift_s, within
        self._latest = within[-1] if within else 0
        self._limits = Limits()
        self._open: dict[int, _Open] = {}
        self._changed: set[int] = set()
        self._closed_to: int | None = None
        self._closed = _Sums()
        self._users: dict[int, int] = {}
        self._last_users: int | None = None
        self._most_users: int | None = None
        self._span: tuple[int, int] | None = None
        self._kinds: dict[str, Kind] = {}
        self._lasts: dict[str, float] = {}

    def add(self, batch: Batch) -> None:
        for (at, told), cell in batch.cells.items():
            second, key = self._place(at + self._shift), self._limits.fit(told)
            self._open[second].add(key, cell)
            self._changed.add(second)
            if key.metric == REQUESTS:
                self._widen(second)
            elif cell.values:
                self._lasts[key.metric] = cell.values[-1]
        self.learn(batch.kinds, {})
        for at, users in sorted(batch.users.items()):
            self._count_users(self._place(at + self._shift), users)

    def fold(self, at: int, cells: Mapping[Key, Tally], users: int | None) -> None:
        """Merge a second that another aggregator closed; `users` is how many there are in all."""
        second = self._place(at)
        for told, tally in cells.items():
            key = self._limits.fit(told)
            self._open[second].fold(key, tally)
            if key.metric == REQUESTS:
                self._widen(second)
        self._changed.add(second)
        if users is not None:
            self._count_users(second, users)

    def learn(self, kinds: Mapping[str, Kind], lasts: Mapping[str, float]) -> None:
        """Of which kind a metric is, and what its gauge shows, as a tool or a shard says."""
        known = self._limits.metrics
        self._kinds.update((name, kind) for name, kind in kinds.items() if name in known)
        self._lasts.update((name, last) for name, last in lasts.items() if name in known)

    @property
    def learned(self) -> dict[str, Any]:
        """What `learn` takes, as JSON."""
        return {"kinds": dict(self._kinds), "lasts": dict(self._lasts)}

    def closed(self, now_s: float, *, everything: bool = False) -> list[Second]:
        """Seconds that got final, in order: each stays open 1.0 s longer for the tool's last flush.

        A sample later than that joins the oldest open second, so that no request is lost.
        """
        self._latest = int(now_s) + FUTURE_S
        done = sorted(at for at in self._open if everything or now_s >= at + 1 + LATENESS_S)
        return [self._close(at) for at in done]

    def open_second(self) -> Second | None:
        """The newest second that changed since the last call, without its cells."""
        if not self._changed:
            return None
        newest = max(self._changed)
        self._changed.clear()
        return self._word(newest, self._open[newest].requests(), {})

    def totals(self) -> Totals:
        first, last = self._span or (0, -1)
        total = self._so_far().requests
        return Totals(
            requests=total.count,
            errors=total.errors,
            users=self._most_users,
            seconds=last - first + 1,
            sketch=total.sketch,
        )

    def endpoints(self) -> list[Endpoint]:
        """The busiest first, the collected rest last."""
        found = self._so_far().endpoints.items()
        busiest = sorted(found, key=lambda item: (item[0] == OTHER, -item[1].count, item[0]))
        return [Endpoint(name, tally.count, tally.errors, tally.sketch) for name, tally in busiest]

    def metrics(self) -> list[Metric]:
        """What the tool measured beside the requests, by name."""
        return [
            Metric(
                name=name,
                kind=self._kinds.get(name, "trend"),
                count=tally.count,
                total=tally.total,
                last=self._lasts.get(name),
                sketch=tally.sketch,
            )
            for name, tally in sorted(self._so_far().metrics.items())
        ]

    def _so_far(self) -> _Sums:
        sums = self._closed.copy()
        for second in self._open.values():
            sums.add(second.tallies())
        return sums

    def _widen(self, second: int) -> None:
        first, last = self._span or (second, second)
        self._span = (min(first, second), max(last, second))

    def _count_users(self, second: int, users: int) -> None:
        if self._users.get(second) != users:
            self._users[second] = users
            self._changed.add(second)
        self._most_users = max(users, self._most_users or 0)

    def _place(self, second: int) -> int:
        """The open second that a sample of this time joins."""
        if self._within:
            second = min(max(second, self._within[0]), self._within[-1], self._latest)
        if self._closed_to is not None and second <= self._closed_to:
            second = min(self._open, default=self._closed_to + 1)
        if second not in self._open:
            if len(self._open) >= MOST_OPEN:
                return _nearest(second, self._open)
            self._open[second] = _Open()
        return second

    def _close(self, at: int) -> Second:
        second = self._open.pop(at)
        cells = second.tallies()
        self._closed.add(cells)
        word = self._word(at, second.requests(), cells)
        self._last_users = word.users
        self._users.pop(at, None)
        self._changed.discard(at)
        self._closed_to = at if self._closed_to is None else max(at, self._closed_to)
        return word

    def _word(self, at: int, requests: Tally, cells: Mapping[Key, Tally]) -> Second:
        """Users are told about once a second: a second without news has those of the one before."""
        known = [second for second in self._users if second <= at]
        users = self._users[max(known)] if known else self._last_users
        return Second(at, requests.count, requests.errors, users, requests.sketch, cells)


def _nearest(second: int, among: Iterable[int]) -> int:
    return min(among, key=lambda known: abs(known - second))
