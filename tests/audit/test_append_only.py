"""Nobody changes an entry: not the model, not SQL, whatever else a test or a flush may do."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from audit import services, triggers
from audit.models import AppendOnly, Entry
from tests.audit.conftest import Record

CHANGES = [
    "UPDATE audit_entry SET actor = 'eve'",
    "UPDATE audit_entry SET id = id + 1",
    "DELETE FROM audit_entry",
]
REPLACE = (
    "INTO audit_entry (id, at, actor, action, subject, body, previous, hash, version)"
    " SELECT id, at, 'eve', action, subject, body, previous, hash, version FROM audit_entry"
)


def refused(statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only: they cannot be changed or removed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_model_and_its_queries_refuse_to_change_or_remove(record: Record) -> None:
    entry = Entry.objects.get(pk=record())
    entry.actor = "eve"
    for attempt in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(actor="eve"),
        lambda: Entry.objects.bulk_update([entry], ["actor"]),
        lambda: Entry.objects.update_or_create(pk=entry.pk, defaults={"actor": "eve"}),
    ):
        with pytest.raises(AppendOnly, match="append-only"), transaction.atomic():
            attempt()
    assert services.verify().broken is None


@pytest.mark.parametrize("statement", CHANGES)
def test_the_database_refuses_in_words(record: Record, statement: str) -> None:
    record()
    refused(statement)
    assert services.entries()[0].actor == "ada"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
def test_the_database_refuses_to_truncate(record: Record) -> None:
    record()
    refused("TRUNCATE audit_entry")


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL has no REPLACE")
@pytest.mark.parametrize("verb", ["REPLACE", "INSERT OR REPLACE", "INSERT OR IGNORE"])
def test_an_insert_cannot_take_the_place_of_an_entry(record: Record, verb: str) -> None:
    record()
    refused(f"{verb} {REPLACE}")


def test_a_fork_cannot_be_stored(record: Record) -> None:
    record()
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(
            **Entry.objects.values("at", "actor", "action", "subject", "body", "previous").get(),
            hash="f" * 64,
            version=1,
        )
    assert services.verify().count == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_again", [1, 2])
def test_a_test_that_flushes_leaves_no_entry_and_all_triggers(record: Record, _again: int) -> None:
    record()
    call_command("flush", interactive=False, verbosity=0)
    assert services.verify().count == 0

    record()
    for statement in CHANGES:
        refused(statement)


@pytest.mark.django_db(transaction=True)
def test_the_migration_can_be_undone_and_done_again(record: Record) -> None:
    record()
    for target in (None, "0001_entries"):
        executor = MigrationExecutor(connection)
        executor.migrate([("audit", target)])

    assert services.verify().count == 0
    record()
    refused(CHANGES[0])


def test_another_database_is_an_error_and_not_a_table_without_triggers() -> None:
    with pytest.raises(KeyError):
        triggers.making(vendor="mysql")
