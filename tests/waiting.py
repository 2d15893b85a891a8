"""Waits for a condition with a bound; the only kind of waiting that tests do."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], *, within: float, what: str, every: float = 0.02) -> T:
    """The first truthy answer of `look`; an AssertionError that names `what` when none comes."""
    end, pause = time.monotonic() + within, threading.Event()
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"{what} did not happen within {within:g} s"
        pause.wait(every)
