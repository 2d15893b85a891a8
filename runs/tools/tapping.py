"""What our taps inside Locust and Artillery share: a hello, a byte that says go, lines of JSON."""

import os
from collections.abc import Iterable

import msgspec

from runs.samples import Batch
from runs.tools import Job, Reader, ToolProblem
from runs.tools.lines import Lines

_MOST_WORKERS = 1000
_LEAST, _MOST = 1e-9, 1e19  # up to nanoseconds since 1970
_SENSELESS = (ValueError, OverflowError, RecursionError)  # msgspec's errors are ValueErrors


def are_sound(values: Iterable[float]) -> bool:
    """A script may write here as well, and each power of two that it reaches takes memory of its
    own (`runs.samples.sketch`); our taps round what takes time to a thousandth.
    """
    return all(value == 0 or _LEAST <= value <= _MOST for value in values)


class _Hello(msgspec.Struct):
    hello: int


class Tapped:
    """A tool that our tap holds until go. Whatever its script does once, each shard does alone."""

    name: str
    is_steered_from_outside = False

    def is_ready(self, job: Job, reader: Reader) -> bool:
        return reader.hello

    def go(self, job: Job, go_fd: int) -> None:
        try:
            os.write(go_fd, b"g")
        except OSError as error:
            tool = self.name.capitalize()
            sentence = f"{tool} was ready but ended before it was told to go. Start the run again."
            raise ToolProblem(sentence, code="tool_error") from error

    def share_setup(self, job: Job, go_fd: int, data: bytes | None) -> bytes:
        return b""

    def tear_down(self, job: Job, go_fd: int) -> None:
        """Nothing, as for the setup."""

    def judge(self, thresholds: Iterable[str]) -> None:
        """Nothing: each shard has judged what it saw, where the script judges at all."""


class TapReader:
    """Reads a tap's lines. A subclass takes what each line holds; `_dropped` is what each of the
    tool's workers says that it could not hand over.
    """

    def __init__(self) -> None:
        self.hello = False
        self._dropped: dict[int, int] = {}
        self._senseless = 0
        self._lines = Lines()
        self._decode_hello = msgspec.json.Decoder(_Hello).decode

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

    def _lose(self, worker: int, dropped: int) -> None:
        """Raises ValueError for one more worker than any tool has: a script may write here too."""
        if worker not in self._dropped and len(self._dropped) >= _MOST_WORKERS:
            raise ValueError("more workers than a tool has")
        self._dropped[worker] = dropped

    def _read(self, line: bytes, batch: Batch) -> None:
        if self.hello:
            self._take(line, batch)
        else:
            self._decode_hello(line)
            self.hello = True

    def _take(self, line: bytes, batch: Batch) -> None:
        """Raises ValueError where it is not what the tap writes."""
        raise NotImplementedError
