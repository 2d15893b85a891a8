"""What must be written is written, though the database may be away for some seconds."""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError

log = logging.getLogger(__name__)
PAUSES_S = (0.5, 1.0, 2.0, 4.0)


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
