"""The terminal: one line for each step with its seconds, and one live line that is rewritten."""

import contextlib
import time
from collections.abc import Iterator
from typing import TextIO


class Say:
    def __init__(self, out: TextIO) -> None:
        self.out = out
        self._live = False
        self._live_said_at = float("-inf")

    @property
    def is_terminal(self) -> bool:
        return self.out.isatty()

    def line(self, text: str = "") -> None:
        self._write(("\n" if self._live else "") + text + "\n")
        self._live = False

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Writes `text ...`, then the seconds it took, or `failed`."""
        began = time.monotonic()
        self._write(("\n" if self._live else "") + f"{text} ... ")
        self._live = False
        try:
            yield
        except BaseException as error:
            self._write("failed\n" if isinstance(error, Exception) else "interrupted\n")
            raise
        self._write(f"{time.monotonic() - began:.1f} s\n")

    def live(self, text: str, *, every: float = 5.0) -> None:
        """Rewrites one line on a terminal; elsewhere writes a line each `every` seconds."""
        if self.is_terminal:
            self._write(f"\r{text}\x1b[K")
            self._live = True
        elif time.monotonic() - self._live_said_at >= every:
            self._live_said_at = time.monotonic()
            self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        # The terminal may be gone (hang-up, closed pipe); the stack must still be stopped in order.
        with contextlib.suppress(OSError, ValueError):
            self.out.write(text)
            self.out.flush()
