"""A shard's line to its run, in a thread of its own: seconds go up, go and stop come down.

Each side must see the other live. Only changes of a heartbeat count, never its age: the clocks of
two machines need not agree on that.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

import clock
from runs.models import GOING, Run, Shard, ShardSecond, State
from runs.outcome import Stop, fault_of_ours
from runs.persisting import tolerated
from runs.samples import Second, cells

log = logging.getLogger(__name__)
BEAT_S, LOOK_S, EAGER_S = 1.0, 0.2, 0.05
ANSWER_S, CONDUCTOR_S, FAREWELL_S = 3.0, 2.5, 8.0
MOST_WAITING = 86_400
STOPPED = "The run was stopped."
_NO_ANSWER = Stop(f"The database did not answer for {ANSWER_S:g} s.", "errored")
_ALONE = Stop(f"The worker that conducts the run said nothing for {CONDUCTOR_S:g} s.", "errored")


class Link:
    def __init__(self, shard: Shard) -> None:
        self.is_going = False
        self.learned: dict[str, Any] = {}
        self._name, self._shard_id, self._run_id = str(shard), shard.pk, shard.run_id
        self._waiting: deque[ShardSecond] = deque(maxlen=MOST_WAITING)
        self._is_stopped = False
        self._broken: Stop | None = None
        self._run_beat: datetime | None = None
        self._answered_at = self._run_beat_at = time.monotonic()
        self._beat_at = float("-inf")
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"link {shard}", daemon=True)

    def __enter__(self) -> "Link":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Deliver what waits, within a time."""
        self._closed.set()
        self._thread.join(FAREWELL_S + 1)

    def stop(self) -> Stop | None:
        """Why the shard must end, or None while it may go on."""
        now = time.monotonic()
        if self._broken:
            return self._broken
        if self._is_stopped:
            return Stop(STOPPED)
        if now - self._answered_at > ANSWER_S:
            return _NO_ANSWER
        return _ALONE if now - self._run_beat_at > CONDUCTOR_S else None

    def send(self, seconds: Iterable[Second], learned: dict[str, Any]) -> None:
        self.learned = learned
        for second in seconds:
            self._waiting.append(
                ShardSecond(
                    shard_id=self._shard_id,
                    at=second.at,
                    users=second.users,
                    cells=cells.pack(second.cells),
                )
            )

    def _work(self) -> None:
        try:
            while not self._closed.wait(LOOK_S if self.is_going else EAGER_S):
                self._exchange()
            self._say_farewell()
        except Exception:
            log.exception("the link of %s broke", self._name)
            self._broken = fault_of_ours(self._name)
        finally:
            connection.close()

    def _exchange(self) -> None:
        with tolerated(self._name):
            self._look()
            self._deliver()
            self._beat()

    def _say_farewell(self) -> None:
        limit, pause = time.monotonic() + FAREWELL_S, threading.Event()
        self._beat_at = float("-inf")
        while time.monotonic() < limit:
            self._exchange()
            if not self._waiting:
                return
            pause.wait(LOOK_S)

    def _look(self) -> None:
        run = Run.objects.filter(pk=self._run_id).values_list("state", "heartbeat_at").first()
        now = time.monotonic()
        self._answered_at = now
        if run is None or run[0] not in GOING:
            self._is_stopped = True
            return
        self.is_going = run[0] == State.RUNNING
        if run[1] != self._run_beat:
            self._run_beat, self._run_beat_at = run[1], now

    def _deliver(self) -> None:
        """A second that was written though nobody could tell us so is not written twice."""
        found = [self._waiting[place] for place in range(len(self._waiting))]
        ShardSecond.objects.bulk_create(found, ignore_conflicts=True, batch_size=50)
        for _ in found:
            self._waiting.popleft()

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._beat_at >= BEAT_S:
            Shard.objects.filter(pk=self._shard_id).update(
                heartbeat_at=clock.real_now(), metrics=self.learned
            )
            self._beat_at = now
