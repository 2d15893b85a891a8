"""The script's own thresholds, from the file of `k6 run --summary-export`.

The file has a boolean for each threshold, and true means that it was crossed. A foreign script may
write into the same folder, so nothing is believed of a file but its first megabytes.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from runs.tools import OwnVerdict
from runs.tools.surroundings import read_left

LARGEST = 8 << 20
MOST, LONGEST = 200, 300


class _Metric(msgspec.Struct):
    thresholds: Mapping[str, bool] = {}


class _Summary(msgspec.Struct):
    metrics: Mapping[str, _Metric] = {}


def read_thresholds(path: Path) -> tuple[OwnVerdict, ...]:
    """Those of a run that ended; none where k6 left no such file. Never raises."""
    with contextlib.suppress(OSError, ValueError, RecursionError):
        summary = msgspec.json.decode(read_left(path, LARGEST), type=_Summary)
        return tuple(_verdicts(summary))[:MOST]
    return ()


def _verdicts(summary: _Summary) -> Iterator[OwnVerdict]:
    for name, metric in sorted(summary.metrics.items()):
        for text, is_crossed in metric.thresholds.items():
            yield OwnVerdict(f"{name} {text}"[:LONGEST], not is_crossed)
