"""Entries are written once and read as they were; tampering is found where it happened."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection, transaction

from audit import chain, services
from audit.models import Entry
from tests.audit.conftest import NOW, Record
from tests.audit.flushing import without_triggers

pytestmark = pytest.mark.django_db


def tamper(statement: str, *values: Any) -> None:
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_what_was_recorded_reads_the_same(record: Record) -> None:
    first = record(1)
    second = record(2, data={"span": (NOW, NOW + timedelta(hours=1)), "took": timedelta(minutes=5)})
    word = services.read(entry_id=second)

    assert (word.id, word.at, word.actor, word.action) == (second, NOW, "ada", "granted")
    assert (word.subject, word.version) == ("permit 2", chain.FORMAT)
    assert word.data == {
        "span": ["2026-06-10T09:00:00+00:00", "2026-06-10T10:00:00+00:00"],
        "took": "PT5M",
    }
    assert word.previous == services.read(entry_id=first).hash
    assert services.read(entry_id=first).previous == chain.GENESIS


def test_an_entry_that_does_not_exist_is_an_error_in_words() -> None:
    with pytest.raises(services.UnknownEntry, match=r"There is no audit entry 7\."):
        services.read(entry_id=7)


def test_entries_are_found_by_action_and_subject_the_latest_first(record: Record) -> None:
    ids = [record(1), record(2), record(1, action="revoked")]

    def found(**wanted: Any) -> list[int]:
        return [word.id for word in services.entries(**wanted)]

    assert found() == ids[::-1]
    assert found(action="granted") == [ids[1], ids[0]]
    assert found(subject="permit 1") == [ids[2], ids[0]]
    assert found(subject="permit 1", action="granted") == [ids[0]]
    assert found(limit=1) == [ids[2]]


def test_an_instant_in_any_zone_is_the_same_instant(record: Record) -> None:
    offset = timezone(timedelta(hours=5, minutes=45))
    entry = record(now=datetime(2026, 6, 10, 14, 45, 0, 123456, tzinfo=offset))

    assert services.read(entry_id=entry).at == NOW + timedelta(microseconds=123456)
    assert services.verify().broken is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"actor": ""}, "An entry's actor must be printable text"),
        ({"subject": "permit\x00"}, "An entry's subject must be printable text"),
        ({"action": "a" * 101}, "An entry's action has at most 100 characters"),
        ({"now": NOW.replace(tzinfo=None)}, "without an offset"),
        ({"data": {"who": object()}}, "has no one way to be written down"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(
    record: Record, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        record(**changes)
    assert services.verify().count == 0


def test_an_entry_goes_with_the_transaction_that_failed_and_the_chain_goes_on(
    record: Record,
) -> None:
    first = record(1)
    with transaction.atomic():
        record(2)
        transaction.set_rollback(True)
    third = record(3)

    assert services.read(entry_id=third).previous == services.read(entry_id=first).hash
    assert services.verify().count == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-06-10 09:00:01"),
        ("actor", "eve"),
        ("action", "refused"),
        ("subject", "permit 9"),
        ("body", '{"number": 2}'),
        ("previous", "f" * 64),
        ("hash", "f" * 64),
        ("version", 2),
    ],
)
def test_a_column_changed_behind_the_triggers_is_found(
    record: Record, column: str, value: object
) -> None:
    ids = [record(number) for number in (1, 2, 3)]
    tamper(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, ids[1])
    verified = services.verify()

    assert verified.broken == chain.Break(ids[1], chain.CHANGED)
    assert (verified.count, verified.head) == (1, services.read(entry_id=ids[0]).hash)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite keeps any type")
@pytest.mark.parametrize("column", ["at", "actor", "version"])
@pytest.mark.parametrize("value", ["rubbish", "2026-99-99 00:00:00", b"\x00\xff", 7.5])
def test_what_cannot_even_be_read_is_a_broken_entry(
    record: Record, column: str, value: object
) -> None:
    ids = [record(number) for number in (1, 2, 3)]
    tamper(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, ids[1])

    assert services.verify().broken == chain.Break(ids[1], chain.CHANGED)


@pytest.mark.parametrize("place", [0, 1])
def test_a_removed_entry_is_found_at_the_one_after_it(record: Record, place: int) -> None:
    ids = [record(number) for number in (1, 2, 3)]
    tamper("DELETE FROM audit_entry WHERE id = %s", ids[place])

    assert services.verify().broken == chain.Break(ids[place + 1], chain.UNLINKED)


def test_an_entry_put_in_is_found_though_its_own_hash_fits(record: Record) -> None:
    head = services.read(entry_id=record()).hash
    row = chain.Row(0, NOW, "eve", "granted", "permit 9", "{}", "e" * 64, "", chain.FORMAT)
    stored = asdict(replace(row, hash=chain.link(row.previous, chain.text_of(row))))
    del stored["id"]
    forged = Entry.objects.create(**stored)
    verified = services.verify()

    assert verified.broken == chain.Break(forged.pk, chain.UNLINKED)
    assert (verified.count, verified.head) == (1, head)


def test_a_head_noted_earlier_shows_that_the_end_was_cut_off(record: Record) -> None:
    ids = [record(number) for number in (1, 2, 3)]
    noted = services.verify().head
    assert services.verify(noted=noted).holds_noted

    tamper("DELETE FROM audit_entry WHERE id = %s", ids[2])
    cut = services.verify(noted=noted)
    assert (cut.broken, cut.holds_noted, cut.count) == (None, False, 2)


def test_more_entries_than_are_read_at_once_are_verified(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "CHUNK", 2)
    ids = [record(number) for number in range(5)]
    assert services.verify().count == 5

    tamper("UPDATE audit_entry SET body = 'rubbish' WHERE id = %s", ids[4])
    assert services.verify().broken == chain.Break(ids[4], chain.CHANGED)
