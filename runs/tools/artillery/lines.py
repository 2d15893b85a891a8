"""Reads what our tap inside Artillery writes: plugins/artillery-plugin-wedsync-tap.

What counts as a request: an answer of the HTTP engine or its failure to come; a connection, a
message or an awaited one of WebSocket and Socket.IO. A script that uses none of these has its
users' sessions counted.
"""

from itertools import chain, repeat

import msgspec

from runs.samples import REQUESTS, Batch, Cell, Key, Kind
from runs.tools.lines import endpoint
from runs.tools.tapping import TapReader, are_sound

_MOST_TIMES = 1_000_000  # of one read, which a busy Artillery fills with thousands


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
        self._room = 0

    def feed(self, chunk: bytes) -> Batch:
        """A script may write here as well: a short line must not unfold to more than fits."""
        self._room = _MOST_TIMES
        return super().feed(chunk)

    def _take(self, line: bytes, batch: Batch) -> None:
        told = self._decode(line)
        self._lose(told.worker, told.dropped)
        if told.cell is not None:
            self._room -= _add(told.cell, batch, self._room)
        self._users[told.worker] = told.users
        batch.users[told.at] = sum(self._users.values())


def _add(measured: _Measured, batch: Batch, room: int) -> int:
    """How many values came. Raises ValueError where it is not what the tap writes, or no room."""
    values, times = measured.values[::2], measured.values[1::2]
    count = sum(times) + measured.unanswered
    fits = len(values) == len(times) and 0 <= measured.unanswered <= measured.errors <= count
    fits = fits and count <= room and are_sound(measured.values)
    if not fits:
        raise ValueError("not what the tap writes")
    is_request = measured.metric == REQUESTS
    name = endpoint(None, measured.name) if is_request else measured.name
    if not is_request:
        batch.kinds[measured.metric] = measured.kind
    key = Key(measured.metric, name, measured.status)
    came = chain.from_iterable(
        repeat(one, int(often)) for one, often in zip(values, times, strict=True)
    )
    cell = Cell(list(came), measured.errors, measured.unanswered)
    batch.cell(measured.second, key).add(cell)
    return cell.count
