"""Weddings that were there before the guard kept their spans are protected after it as well."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from calendar_guard.models import Wedding
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, at

NOW = at("2026-06-10 10:00", BERLIN)
BEFORE = [("calendar_guard", "0001_weddings_and_permits")]
SETTLED = ("wall_start", "wall_end", "over_at", "guarded_from", "guarded_until", "zone_data")


@pytest.mark.django_db(transaction=True)
def test_weddings_of_before_are_settled_as_those_of_today() -> None:
    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    try:
        executor.migrate(BEFORE)
        old = executor.loader.project_state(BEFORE).apps.get_model("calendar_guard", "Wedding")
        for status in Wedding.Status.values:
            for completed_at in (None, NOW + 60 * DAY):
                old.objects.create(
                    title="Ada & Grace",
                    zone=BERLIN,
                    starts_at=NOW,
                    ends_at=NOW + 6 * HOUR,
                    setup=timedelta(hours=3),
                    status=status,
                    completed_at=completed_at,
                )
    finally:
        MigrationExecutor(connection).migrate(latest)
    for wedding in Wedding.objects.all():
        migrated = [getattr(wedding, name) for name in SETTLED]
        wedding.settle()
        assert migrated == [getattr(wedding, name) for name in SETTLED], wedding.status
