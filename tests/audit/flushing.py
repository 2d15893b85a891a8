"""A flush empties every table, which the triggers of the audit refuse: they stand aside for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations

from audit import triggers
from audit.models import Entry


@contextmanager
def flush_around_triggers(operations: BaseDatabaseOperations) -> Iterator[None]:
    """Until it ends, every flush drops the triggers first and makes them again."""
    kind = type(operations)
    plain = kind.sql_flush

    def sql_flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        statements = plain(self, style, tables, **options)
        if Entry._meta.db_table not in tables:
            return statements
        vendor = self.connection.vendor
        return [
            *triggers.dropping(vendor=vendor),
            *statements,
            *triggers.making(vendor=vendor),
        ]

    kind.sql_flush = sql_flush  # type: ignore[method-assign]
    yield
    kind.sql_flush = plain  # type: ignore[method-assign]


@contextmanager
def without_triggers() -> Iterator[None]:
    """How somebody with the keys to the database tampers."""
    with connection.cursor() as cursor:
        for statement in triggers.dropping(vendor=connection.vendor):
            cursor.execute(statement)
        yield
        for statement in triggers.making(vendor=connection.vendor):
            cursor.execute(statement)
