"""Reads what our tap.py writes, from one process of Locust or from several."""

import msgspec

from runs.samples import REQUESTS, Batch, Cell, Key
from runs.tools.lines import endpoint
from runs.tools.tapping import TapReader, are_sound


class _Ticked(msgspec.Struct):
    """A worker of several tells no users; `by` is its process."""

    dropped: int
    cells: list[tuple[int, str, str, list[float], int, int]]
    users: int | None = None
    at: int = 0
    by: int = 0


class LocustReader(TapReader):
    def __init__(self) -> None:
        super().__init__()
        self._decode = msgspec.json.Decoder(_Ticked).decode

    def _take(self, line: bytes, batch: Batch) -> None:
        tick = self._decode(line)
        if not all(_makes_sense(*cell[3:]) for cell in tick.cells):
            raise ValueError("not what the tap writes")
        self._lose(tick.by, max(self._dropped.get(tick.by, 0), tick.dropped))
        if tick.users is not None:
            batch.users[tick.at] = tick.users
        for second, method, name, latencies, errors, unanswered in tick.cells:
            key = Key(REQUESTS, endpoint(method, name))
            batch.cell(second, key).add(Cell(latencies, errors, unanswered))


def _makes_sense(latencies: list[float], errors: int, unanswered: int) -> bool:
    fits = 0 <= unanswered <= errors <= len(latencies) + unanswered
    return fits and are_sound(latencies)
