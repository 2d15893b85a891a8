"""One of two runs that are compared: what it was asked, and what was measured of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from runs.samples.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a run or of one of its endpoints, in `seconds` of requests."""

    requests: int
    errors: int
    seconds: int
    sketch: Sketch


ENDED = {
    "passed": "passed",
    "failed": "failed",
    "aborted": "was aborted",
    "errored": "ended in an error",
    "lost": "was lost",
    "refused": "was refused",
}
NOTHING = Measured(requests=0, errors=0, seconds=0, sketch=Sketch())


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `endpoints` is None where the run was kept without their sketches."""

    id: str
    name: str
    state: str
    tool: str
    tool_version: str
    latency_kind: str
    target: str
    plan: str | None
    users: int | None
    shards: int
    duration: timedelta
    script: str
    inputs: Mapping[str, Any]
    started_at: str | None
    totals: Measured
    endpoints: Mapping[str, Measured] | None


def shorten(name: str, target: str) -> str:
    """`GET http://127.0.0.1:9000/timeline` is `GET /timeline` where that is the target."""
    head, found, path = name.partition(target.rstrip("/") or " ")
    if not found or (path and path[0] not in "/?#"):
        return name
    return head + (path if path.startswith("/") else f"/{path}")
