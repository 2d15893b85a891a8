"""The database may be away for some seconds: what must be written is, and nobody waits unasked."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

T = TypeVar("T")
log = logging.getLogger(__name__)
PAUSES_S = (0.5, 1.0, 2.0, 4.0)
AWAY = (
    "The database was away when the run needed it; what was seen before is kept. See the log, and "
    "start the run again once the database answers."
)


def surely(write: Callable[[], object], what: str) -> None:
    """Raises DatabaseError where it is still away in the end."""
    pause = threading.Event()
    for wait_s in PAUSES_S:
        try:
            write()
            return
        except DatabaseError:
            log.exception("%s could not be written yet", what)
            pause.wait(wait_s)
    write()


def answer(ask: Callable[[], T]) -> T | None:
    """What the database says to one question, None where it says nothing."""
    try:
        return ask()
    except DatabaseError as error:
        log.warning("the database did not answer: %s", error)
        return None
