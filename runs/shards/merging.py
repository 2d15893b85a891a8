"""Merges the seconds that the shards of a run send, in order and each once."""

from collections.abc import Sequence

import clock
from runs.models import Run, Shard, ShardSecond
from runs.persisting import tolerated
from runs.samples import Second, cells
from runs.samples.aggregator import LATENESS_S, Aggregator

# A second waits so long for a shard that says nothing of it; what comes later joins the next one.
LATE_S = 4.0
CLOSED_S = 1 + LATENESS_S  # after it began, the aggregator closes a second
MOST_ROWS = 500


class Merger:
    def __init__(self, run: Run) -> None:
        self.aggregator = Aggregator()
        self._rows = ShardSecond.objects.filter(shard__run=run)
        self._heard: dict[int, int] = {}
        self._users: dict[int, int] = {}  # of each shard, as it told last
        self._told: dict[int, dict[int, int]] = {}  # of each second, by shard

    def merge(self, parts: Sequence[Shard], *, everything: bool = False) -> list[Second]:
        """The seconds that every running shard has told by now, or that need not wait longer."""
        over = {part.pk for part in parts if part.state == Shard.State.ENDED}
        with tolerated("merging"):
            while self._take_rows(over):
                pass
        for part in parts:
            self.aggregator.learn(part.metrics.get("kinds", {}), part.metrics.get("lasts", {}))
        speaking = [part.pk for part in parts if part.state == Shard.State.RUNNING]
        slowest = min((self._heard.get(pk, 0) for pk in speaking), default=0)
        until = max(slowest, clock.now().timestamp() - LATE_S)
        closed = self.aggregator.closed(until + CLOSED_S, everything=everything)
        for second in closed:
            self._told.pop(second.at, None)
        return closed

    def _take_rows(self, over: set[int]) -> bool:
        """Fold some seconds and forget their rows; True while there may be more."""
        rows = list(self._rows.order_by("at")[:MOST_ROWS])
        for row in rows:
            if row.at > self._heard.get(row.shard_id, -1):  # else it was folded, and its row stayed
                self._heard[row.shard_id] = row.at
                users = self._users_at(row, over)
                self.aggregator.fold(row.at, cells.unpack(bytes(row.cells)), users)
        if rows:
            ShardSecond.objects.filter(pk__in=[row.pk for row in rows]).delete()
        return len(rows) == MOST_ROWS

    def _users_at(self, row: ShardSecond, over: set[int]) -> int | None:
        """All at once in the row's second: as told of it, and as told last by who yet has to."""
        if row.users is not None:
            self._users[row.shard_id] = row.users
            self._told.setdefault(row.at, {})[row.shard_id] = row.users
        told = self._told.get(row.at, {})
        silent = {pk: users for pk, users in self._users.items() if pk not in over}
        known = silent | told
        return sum(known.values()) if known else None
