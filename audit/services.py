"""What was done, by whom, to what: written once, never changed, proven by a chain of hashes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audit import chain
from audit.chain import GENESIS, Break, Unstable, Verified
from audit.models import LABELS, Entry

LOCK = int.from_bytes(b"audit")
CHUNK = 2000
_COLUMNS = ("id", "at", "actor", "action", "subject", "body", "previous", "hash", "version")
# SQLite keeps any text as an instant, and any bytes as text.
_UNREADABLE = (AttributeError, TypeError, ValueError)


class UnknownEntry(LookupError):
    pass


@dataclass(frozen=True, slots=True)
class EntryWord:
    """`data` as it reads from JSON: instants and durations are ISO 8601 text."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: Mapping[str, Any]
    previous: str
    hash: str
    version: int


def record(
    *, action: str, actor: str, subject: str, data: Mapping[str, object], now: datetime
) -> int:
    """Append an entry in the caller's transaction, or in one of its own, and give its id.

    Raises Unstable for data without one canonical text, ValueError for a label that does not fit
    its column. Recorders queue up until the transaction ends, so take every other lock before.
    Ids and spans only: no couple's name belongs in an entry.
    """
    row = chain.Row(
        id=0,
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        body=chain.canonical(data),
        previous="",
        hash="",
        version=chain.FORMAT,
    )
    _check_labels(row)
    text = chain.text_of(row)
    with transaction.atomic():
        _serialise()
        previous = Entry.objects.values_list("hash", flat=True).first() or GENESIS
        return _insert(replace(row, previous=previous, hash=chain.link(previous, text)))


def read(*, entry_id: int) -> EntryWord:
    """Raises UnknownEntry."""
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise UnknownEntry(f"There is no audit entry {entry_id}.")
    return _word(entry)


def entries(*, action: str = "", subject: str = "", limit: int = 100) -> list[EntryWord]:
    """The latest first, of one action or subject if named."""
    wanted = {"action": action, "subject": subject}
    found = Entry.objects.filter(**{name: value for name, value in wanted.items() if value})
    return [_word(entry) for entry in found[:limit]]


def verify(*, noted: str = GENESIS) -> Verified:
    """Walk the whole chain in bounded memory; `noted` is a head that must still be in it."""
    return chain.follow(_rows(), noted=noted)


def _check_labels(row: chain.Row) -> None:
    for name, longest in LABELS.items():
        text = getattr(row, name)
        if not text.strip() or not text.isprintable():
            raise ValueError(f"An entry's {name} must be printable text, not {text!r}.")
        if len(text) > longest:
            raise ValueError(f"An entry's {name} has at most {longest} characters: {text!r}.")


def _serialise() -> None:
    """On SQLite every transaction is IMMEDIATE, so there is nobody to wait for."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _insert(row: chain.Row) -> int:
    stored = {name: getattr(row, name) for name in _COLUMNS if name != "id"}
    return Entry.objects.create(**stored).pk


def _rows() -> Iterator[chain.Row]:
    last = 0
    try:
        for values in Entry.objects.order_by("pk").values_list(*_COLUMNS).iterator(CHUNK):
            yield chain.Row(*values)
            last = values[0]
    except _UNREADABLE:
        yield from _one_by_one(after=last)


def _one_by_one(*, after: int) -> Iterator[chain.Row]:
    """A chunk fails as a whole, so this finds the entry in it that cannot be read."""
    later = Entry.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
    for entry_id in later.iterator(CHUNK):
        try:
            yield chain.Row(*Entry.objects.values_list(*_COLUMNS).get(pk=entry_id))
        except _UNREADABLE:
            yield chain.Row(entry_id, None, "", "", "", "", "", "", chain.FORMAT)


def _word(entry: Entry) -> EntryWord:
    columns = {name: getattr(entry, name) for name in _COLUMNS if name != "body"}
    return EntryWord(**columns, data=json.loads(entry.body))
