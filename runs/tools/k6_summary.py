"""The script's own thresholds, from the file of `k6 run --summary-export`.

The file has a boolean for each threshold, and true means that it was crossed. A foreign script may
write into the same folder, so nothing is believed of the file but its first megabytes.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from runs.tools import OwnVerdict

LARGEST = 8 << 20
MOST, LONGEST = 200, 300


class _Metric(msgspec.Struct):
    thresholds: Mapping[str, bool] = {}


class _Summary(msgspec.Struct):
    metrics: Mapping[str, _Metric] = {}


def read_thresholds(path: Path) -> tuple[OwnVerdict, ...]:
    """Those of a run that ended; none where k6 left no such file. Never raises."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        summary = msgspec.json.decode(_read(path), type=_Summary)
        return tuple(_verdicts(summary))[:MOST]
    return ()


def _verdicts(summary: _Summary) -> Iterator[OwnVerdict]:
    for name, metric in sorted(summary.metrics.items()):
        for text, is_crossed in metric.thresholds.items():
            yield OwnVerdict(f"{name} {text}"[:LONGEST], not is_crossed)


def _read(path: Path) -> bytes:
    """A plain file and no link or pipe. Raises OSError, or ValueError when it is too large."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a plain file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("larger than any summary")
    return content
