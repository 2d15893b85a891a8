"""Seconds of a run as they are kept, made from raw values."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.contrib.auth.models import User

from runs import fanout
from runs.models import Run, Snapshot
from runs.past import keeping
from runs.past.rollup import Span
from runs.samples import REQUESTS, Batch, Key, Second, cells
from runs.samples.aggregator import Aggregator

FULL_MINUTE = datetime(2026, 6, 9, 8, 0, tzinfo=UTC)

Measured = Mapping[int, Sequence[tuple[str, float | None]]]
"""By second from the full minute on: (endpoint, ms), None for a request without an answer."""


def spans_of(measured: Measured, *, users: int | None = 5) -> list[Span]:
    """Closed seconds, as the watch of a run hands them to its history."""
    start, aggregator = round(FULL_MINUTE.timestamp()), Aggregator()
    seconds: list[Second] = []
    for at, values in sorted(measured.items()):
        aggregator.add(_batch(start + at, values, users))
        seconds += aggregator.closed(0, everything=True)
    return [_span(second, seq) for seq, second in enumerate(seconds, 1)]


def _batch(at: int, values: Sequence[tuple[str, float | None]], users: int | None) -> Batch:
    batch = Batch(users={} if users is None else {at: users})
    for name, latency in values:
        status = "0" if latency is None else "200"
        batch.add(at, Key(REQUESTS, name, status), latency, failed=latency is None)
        if latency is not None:
            batch.add(at, Key("http_req_waiting", name, "200"), latency)
    return batch


def _span(second: Second, seq: int) -> Span:
    update = fanout.translate(second, seq=seq, final=True, tags={"season": "peak"})
    data, kept = msgspec.to_builtins(update), cells.pack(second.cells)
    at = datetime.fromtimestamp(second.at, UTC)
    return Span(at, seq, 1, data, second.sketch.to_bytes(), kept)


def past_run(by: User, **words: Any) -> Run:
    """A run as history, over after three minutes, that nothing drives."""
    defaults: dict[str, Any] = {
        "name": "guest rush",
        "tool": "k6",
        "script": "export default () => {}",
        "target": "http://127.0.0.1:9",
        "duration": timedelta(minutes=5),
        "requested_by": by,
        "created_at": FULL_MINUTE,
        "heartbeat_at": FULL_MINUTE,
        "started_at": FULL_MINUTE,
        "ended_at": FULL_MINUTE + timedelta(minutes=3),
        "state": "passed",
        "verdict": {"outcome": "passed", "reason": "All went well.", "checks": []},
        "latency_kind": "k6 http_req_duration",
    }
    return Run.objects.create(**(defaults | words))


def keep(run: Run, spans: Sequence[Span]) -> None:
    Snapshot.objects.bulk_create(keeping.rows_of(run.pk, spans))


def steady(seconds: int, ms: float, *, each: int = 20, name: str = "home") -> Measured:
    """So many requests a second, a little apart from each other."""
    spread = [ms * (0.9 + 0.2 * n / each) for n in range(each)]
    return {at: [(name, value) for value in spread] for at in range(seconds)}
