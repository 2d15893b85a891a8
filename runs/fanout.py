"""Translates a second of a run once into its listeners' words. A listener never holds a run up."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import DataError, IntegrityError, connections, transaction
from django.db.models import Max

from runs.models import Run, Snapshot, State
from runs.persisting import AWAY_ERRORS, let_go
from runs.samples import Second
from runs.samples.percentiles import percentiles
from runs.thresholds import Breach, Heat
from streaming import services as streaming
from streaming import wire

log = logging.getLogger(__name__)
RETRY_S = 0.5
SLACK_S = RETRY_S + 0.25  # a retry that is due: the verdict waits for no more


@dataclass(frozen=True)
class Told:
    """A second under its sequence number, and when the first bytes behind it were read (unmoved).

    A closed one brings what is kept of it: its sketch, and its cells (`runs.samples.cells`).
    """

    update: wire.Update
    read_at: datetime
    sketch: bytes = b""
    cells: bytes = b""
    report: dict[str, Any] | None = None


def translate(
    second: Second,
    *,
    seq: int,
    final: bool,
    tags: Mapping[str, object],
    heat: Sequence[Heat] = (),
    breaches: Sequence[Breach] = (),
) -> wire.Update:
    """`errors` counts failed requests, `rps` the requests of this one second so far."""
    return wire.Update(
        seq=seq,
        at=datetime.fromtimestamp(second.at, UTC).isoformat(),
        final=final,
        requests=second.requests,
        rps=float(second.requests),
        errors=second.errors,
        error_rate=round(second.error_rate, 6),
        users=second.users,
        tags=tags,
        thresholds=tuple(map(_heat, heat)),
        breaches=tuple(breach.sentence for breach in breaches),
        **percentiles(second.sketch),
    )


def _heat(heat: Heat) -> dict[str, object]:
    return {
        "threshold": heat.text,
        "measured": heat.measured,
        "said": heat.said,
        "share": heat.share,
        "broken": heat.is_broken,
    }


class Undeliverable(Exception):
    """No later try delivers this one, and those behind it must not wait for it."""


class Listener:
    """A thread of its own behind a bounded queue: full means the oldest goes, and is counted.

    What could not be delivered is tried again until it is, or until newer words push it out.
    """

    def __init__(self, name: str, deliver: Callable[[Told], None], *, keep: int) -> None:
        self.name, self.dropped, self.failures = name, 0, 0
        self._deliver = deliver
        self._queue: deque[Told] = deque(maxlen=keep)
        self._lock, self._ready = threading.Lock(), threading.Event()
        self._give_up_at: float | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def tell(self, told: Told) -> None:
        with self._lock:
            if self._queue and not self._queue[-1].update.final:
                # Of the states of an open second only the newest is worth it.
                told = replace(told, read_at=min(self._queue.pop().read_at, told.read_at))
            if len(self._queue) == self._queue.maxlen:
                self.dropped += 1
            self._queue.append(told)
        self._ready.set()

    def close(self, patience_s: float) -> int:
        """Deliver what is queued, within the time given: how many were dropped in all."""
        self._give_up_at = time.monotonic() + patience_s
        self._ready.set()
        self._thread.join(patience_s + SLACK_S)
        if self._thread.is_alive():  # at a delivery that does not end
            self.dropped += len(self._queue)
        if self.dropped or self.failures:
            log.warning("%s: %d dropped, %d failures", self.name, self.dropped, self.failures)
        return self.dropped

    def _work(self) -> None:
        try:
            self._pass_on()
        finally:
            connections.close_all()

    def _pass_on(self) -> None:
        pause = threading.Event()
        while self._queue or self._give_up_at is None:
            if not self._queue:
                self._ready.wait()
                self._ready.clear()
                continue
            with self._lock:
                told = self._queue[0]
            if self._is_done_with(told):
                self._forget(told)
            elif self._give_up_at is not None and time.monotonic() > self._give_up_at:
                self.dropped += len(self._queue)
                return
            else:
                pause.wait(RETRY_S)

    def _is_done_with(self, told: Told) -> bool:
        try:
            self._deliver(told)
        except Exception as problem:
            if not self.failures:  # the first of them says why; the others are counted
                log.exception("%s could not take an update", self.name)
            self.failures += 1
            is_hopeless = isinstance(problem, Undeliverable)
            self.dropped += is_hopeless
            return is_hopeless
        return True

    def _forget(self, told: Told) -> None:
        with self._lock:
            if self._queue and self._queue[0] is told:
                self._queue.popleft()


def stream_to(topic: str) -> Callable[[Told], None]:
    """Publish to live readers."""

    def deliver(told: Told) -> None:
        streaming.publish(topic=topic, update=told.update)
        how = "closed after" if told.update.final else "read at"
        log.debug("run %s seq %d %s %s", topic, told.update.seq, how, told.read_at)

    return deliver


def keep_in(run_id: int) -> Callable[[Told], None]:
    """Keep closed seconds for good, and the newest report where the pages read it."""

    def deliver(told: Told) -> None:
        kept = Snapshot(
            run_id=run_id,
            seq=told.update.seq,
            at=datetime.fromisoformat(told.update.at),
            data=msgspec.to_builtins(told.update),
            sketch=told.sketch,
            cells=told.cells,
        )
        try:
            with transaction.atomic():
                # Where an answer was lost with the connection, the row is there: a run has one
                # teller.
                Snapshot.objects.bulk_create([kept], ignore_conflicts=True)
                if told.report:
                    Run.objects.filter(pk=run_id, state=State.RUNNING).update(**told.report)
        except (DataError, IntegrityError) as error:
            raise Undeliverable(f"The database refuses second {kept.seq}.") from error
        except AWAY_ERRORS:
            let_go()  # it is tried again, on a connection that works
            raise

    return deliver


def open_stream(topic: str) -> None:
    _try(topic, lambda: streaming.open_topic(topic=topic))


def open_streams() -> list[int]:
    """Runs whose readers still wait for the end; none while Valkey is away."""
    try:
        return [int(topic) for topic in streaming.running_topics() if topic.isdecimal()]
    except streaming.Unavailable:
        return []


def close_stream(run_id: int, verdict: Mapping[str, object]) -> None:
    """An end is not dropped: tried for seconds, then again by the sweep."""
    topic, pause = str(run_id), threading.Event()
    last = Snapshot.objects.filter(run_id=run_id).aggregate(last=Max("seq"))["last"] or 0
    for wait in (0.0, 0.5, 1.0, 2.0):
        pause.wait(wait)
        if _try(topic, lambda: streaming.close_topic(topic=topic, verdict=verdict, after=last)):
            return


def _try(topic: str, act: Callable[[], None]) -> bool:
    try:
        act()
    except streaming.Unavailable as error:
        log.warning("run %s: live readers were not told: %s", topic, error)
        return False
    return True
