"""How long a run's updates took from reading the tool's bytes to being published."""

import re
from datetime import UTC, datetime, timedelta

from tests.stories.stack import Stack

_LINE = r"^(\S+ \S+) DEBUG .*: run {} seq \d+ read at (\S+ \S+)$"


def delays_ms(stack: Stack, run_id: str) -> list[float]:
    """Of every state of an open second, sorted; the worker's log has them to the millisecond.

    A final one is told when its second closes, not when something is read.
    """
    log = (stack.data / "log" / "runs.log").read_text()
    told = re.findall(_LINE.format(re.escape(run_id)), log, re.MULTILINE)
    delays = (_instant(at.replace(",", ".") + "+00:00") - _instant(read) for at, read in told)
    return sorted(delay / timedelta(milliseconds=1) for delay in delays)


def quantile(delays: list[float], q: float) -> float:
    return round(delays[round(q * (len(delays) - 1))], 1)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
