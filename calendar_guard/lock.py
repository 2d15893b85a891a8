"""Grants and calendar writes queue up one behind the other.

So what a judge has read cannot change before its permit is written, and a wedding that is saved
sees every permit that was granted before it. SQLite's transactions are IMMEDIATE here; PostgreSQL
has an advisory lock for it: https://www.postgresql.org/docs/current/explicit-locking.html
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

KEY = 0x57ED0001


@contextmanager
def calendar_lock() -> Iterator[None]:
    """A transaction that nobody else's grant or calendar write runs beside; held to its end."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [KEY])
        yield


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is written inside is found out and not kept: a preview that cannot be wrong."""
    with calendar_lock():
        yield
        transaction.set_rollback(True)
