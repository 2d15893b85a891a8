"""Reads what our tap inside Artillery writes: artillery_plugins/artillery-plugin-wedsync-tap.

What counts as a request: an answer of the HTTP engine or its failure to come, and an acknowledged
message of Socket.IO. A script that uses neither has its users' sessions counted.
"""

import math
from itertools import repeat

import msgspec

from runs.samples import REQUESTS, Batch, Cell, Key, Kind
from runs.tools.lines import Lines, endpoint

_SENSELESS = (ValueError, OverflowError, RecursionError)  # msgspec's errors are ValueErrors
_MOST_TIMES = 10_000_000


class _Measured(msgspec.Struct, array_like=True):
    second: int
    metric: str
    kind: Kind
    name: str
    status: str
    values: list[float]
    errors: int
    unanswered: int


class _Line(msgspec.Struct):
    worker: int
    at: int
    users: int
    dropped: int
    cell: _Measured | None = None


class _Hello(msgspec.Struct):
    hello: int


class ArtilleryReader:
    def __init__(self) -> None:
        self.hello = False
        self._senseless = 0
        self._lines = Lines()
        self._decode_hello = msgspec.json.Decoder(_Hello).decode
        self._decode = msgspec.json.Decoder(_Line).decode
        self._users: dict[int, int] = {}
        self._dropped: dict[int, int] = {}

    @property
    def garbage(self) -> int:
        return self._senseless + self._lines.oversized

    @property
    def dropped(self) -> int:
        return sum(self._dropped.values())

    def feed(self, chunk: bytes) -> Batch:
        batch = Batch()
        for line in filter(bytes.strip, self._lines.cut(chunk).split(b"\n")):
            try:
                self._read(line, batch)
            except _SENSELESS:
                self._senseless += 1
        return batch

    def _read(self, line: bytes, batch: Batch) -> None:
        if not self.hello:
            self._decode_hello(line)
            self.hello = True
            return
        told = self._decode(line)
        if told.cell is not None:
            _take(told.cell, batch)
        self._users[told.worker] = told.users
        self._dropped[told.worker] = told.dropped
        batch.users[told.at] = sum(self._users.values())


def _take(measured: _Measured, batch: Batch) -> None:
    """Raises ValueError where it is not what the tap writes."""
    values, times = measured.values[::2], measured.values[1::2]
    count = sum(times) + measured.unanswered
    fits = len(values) == len(times) and 0 <= measured.unanswered <= measured.errors <= count
    if not (fits and count <= _MOST_TIMES and all(0 <= value < math.inf for value in values)):
        raise ValueError("not what the tap writes")
    is_request = measured.metric == REQUESTS
    name = endpoint(None, measured.name) if is_request else measured.name
    if not is_request:
        batch.kinds[measured.metric] = measured.kind
    key = Key(measured.metric, name, measured.status)
    cell = batch.cells.setdefault((measured.second, key), Cell())
    for value, often in zip(values, times, strict=True):
        cell.values.extend(repeat(value, int(often)))
    cell.errors += measured.errors
    cell.unanswered += measured.unanswered
