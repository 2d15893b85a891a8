"""Loaded by every Python of the suites under faketime, where time.sleep fails with EINVAL.

libfaketime measures the absolute monotonic deadline of clock_nanosleep on the faked clock.
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = _sleep  # type: ignore[assignment]
