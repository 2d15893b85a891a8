"""What our taps inside Locust and Artillery share: a hello, a byte that says go, lines of JSON."""

import os

import msgspec

from runs.samples import Batch
from runs.tools import ToolProblem
from runs.tools.lines import Lines

_SENSELESS = (ValueError, OverflowError, RecursionError)  # msgspec's errors are ValueErrors


class _Hello(msgspec.Struct):
    hello: int


class TapReader:
    """Reads a tap's lines. A subclass takes what each line holds, and counts what was dropped."""

    def __init__(self) -> None:
        self.hello = False
        self._senseless = 0
        self._lines = Lines()
        self._decode_hello = msgspec.json.Decoder(_Hello).decode

    @property
    def garbage(self) -> int:
        return self._senseless + self._lines.oversized

    def feed(self, chunk: bytes) -> Batch:
        batch = Batch()
        for line in filter(bytes.strip, self._lines.cut(chunk).split(b"\n")):
            try:
                self._read(line, batch)
            except _SENSELESS:
                self._senseless += 1
        return batch

    def _read(self, line: bytes, batch: Batch) -> None:
        if self.hello:
            self._take(line, batch)
        else:
            self._decode_hello(line)
            self.hello = True

    def _take(self, line: bytes, batch: Batch) -> None:
        """Raises ValueError where it is not what the tap writes."""
        raise NotImplementedError


def say_go(go_fd: int, tool: str) -> None:
    """Raises ToolProblem where the tap no longer listens."""
    try:
        os.write(go_fd, b"g")
    except OSError as error:
        sentence = f"{tool} was ready but ended before it was told to go. Start the run again."
        raise ToolProblem(sentence, code="tool_error") from error
