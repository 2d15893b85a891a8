"""Reads what our tap inside Artillery writes: plugins/artillery-plugin-wedsync-tap.

What counts as a request: an answer of the HTTP engine or its failure to come; a connection, a
message or an awaited one of WebSocket and Socket.IO. A script that uses none of these has its
users' sessions counted.
"""

import math
from itertools import chain, repeat

import msgspec

from runs.samples import REQUESTS, Batch, Cell, Key, Kind
from runs.tools.lines import endpoint
from runs.tools.tapping import TapReader

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


class ArtilleryReader(TapReader):
    def __init__(self) -> None:
        super().__init__()
        self._decode = msgspec.json.Decoder(_Line).decode
        self._users: dict[int, int] = {}

    def _take(self, line: bytes, batch: Batch) -> None:
        told = self._decode(line)
        if told.cell is not None:
            _add(told.cell, batch)
        self._users[told.worker] = told.users
        self._dropped[told.worker] = told.dropped
        batch.users[told.at] = sum(self._users.values())


def _add(measured: _Measured, batch: Batch) -> None:
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
    came = chain.from_iterable(
        repeat(one, int(often)) for one, often in zip(values, times, strict=True)
    )
    batch.cell(measured.second, key).add(Cell(list(came), measured.errors, measured.unanswered))
