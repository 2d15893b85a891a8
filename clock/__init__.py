"""The only reader of wall time. Edges call `now()` and pass it down; rules never read a clock."""

import os
from datetime import UTC, datetime, timedelta


def offset() -> timedelta:
    """How far `--at` moved the clock; a settings check refuses it outside the embedded stack."""
    return timedelta(seconds=float(os.environ.get("WEDSYNC_CLOCK_OFFSET") or 0))


def now() -> datetime:
    """The wedding calendar's present: aware, UTC, moved by `--at`."""
    return real_now() + offset()


def real_now() -> datetime:
    """Unmoved time, for leases, tokens and time-outs."""
    return datetime.now(UTC)
