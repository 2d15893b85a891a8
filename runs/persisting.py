"""The database may be away for some seconds: what must be written is, and nobody waits unasked."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

import clock

T = TypeVar("T")
log = logging.getLogger(__name__)
AWAY_ERRORS = (DatabaseError, InterfaceError)
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
        except AWAY_ERRORS:
            log.exception("%s could not be written yet", what)
            let_go()
            pause.wait(wait_s)
    write()


def answer(ask: Callable[[], T]) -> T | None:
    """What the database says to one question, None where it says nothing."""
    told: T | None = None
    with tolerated("a question"):
        told = ask()
    return told


@contextmanager
def tolerated(what: str) -> Iterator[None]:
    """Go on though the database is away, and connect anew at the next question.

    Never within a transaction, which would be left broken.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        log.warning("%s: the database did not answer: %s", what, error)
        let_go()
    except DatabaseError:
        log.exception("%s: the database refused", what)
        let_go()


@contextmanager
def apart(what: str) -> Iterator[None]:
    """One of many: what breaks is told, keeps no other waiting, and is tried at the next sweep."""
    try:
        with tolerated(what):
            yield
    except Exception:
        log.exception("%s: the others go on, and it is tried again", what)


def let_go() -> None:
    """Of a connection that is dead: Django keeps it until somebody says so."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def ahead() -> timedelta:
    """By how much this machine's clock is ahead of the database's; SQLite has none of its own."""
    if connection.vendor != "postgresql":
        return timedelta()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    return clock.real_now() - theirs
