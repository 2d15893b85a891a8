"""From a ready tool to the first request: the last look at the calendar lies between."""

from datetime import datetime

import clock
from runs import moves
from runs.lease import Lease
from runs.models import State
from runs.outcome import Stop

_TOO_LATE = Stop("The run was stopped before it began.")


def launch(run_id: int, lease: Lease, *, ready: str) -> Stop | None:
    """None where the run is running now and its tool may go, else why it may not."""
    if not _move(run_id, State.PREPARING, State.READY, ready):
        return lease.stop() or _TOO_LATE
    lease.begin_now()
    if stop := lease.stop():
        return stop
    why = "the last look at the calendar, then the first request"
    if not _move(run_id, State.READY, State.RUNNING, why, started_at=clock.now()):
        return lease.stop() or _TOO_LATE
    return lease.stop()  # it may have taken its time to write that down


def _move(run_id: int, of: State, to: State, why: str, **facts: datetime) -> bool:
    by, now = moves.worker(), clock.now()
    return moves.move(run_id, of=[of], to=to, by=by, why=why, now=now, **facts)
