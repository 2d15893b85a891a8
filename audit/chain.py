"""Every entry's hash covers the hash before it, so that nothing changes, goes or comes in unseen.

Whoever can write the whole table can also forge the rest of the chain, or cut off its end: a head
noted elsewhere shows that too.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clock import iso

FORMAT = 1
GENESIS = "0" * 64
_BITS = 64

CHANGED = "its hash does not fit its content; it was changed after it was written"
UNLINKED = (
    "it does not follow the entry before it; that one was changed, one between was removed,"
    " or this one was put in"
)


class Unstable(ValueError):
    """Something that would not read the same a year later; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stored entry. `at` is None where the database holds no readable instant."""

    id: int
    at: datetime | None
    actor: str
    action: str
    subject: str
    body: str
    previous: str
    hash: str
    version: int


@dataclass(frozen=True, slots=True)
class Break:
    id: int
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """`count` entries hold and `head` is the last one's hash; `broken` is the entry after them.

    `holds_noted` says whether the hash noted earlier is that of an entry that holds.
    """

    count: int
    head: str
    broken: Break | None
    holds_noted: bool


def canonical(data: Mapping[str, object]) -> str:
    """One text for equal data: JSON in ASCII, keys sorted, no spaces. Raises Unstable.

    Instants become ISO 8601 in UTC, durations ISO 8601; tuples become lists.
    """
    try:
        plain = _plain(data, "data")
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise Unstable("The data is nested too deeply, or holds itself.") from None


def text_of(row: Row) -> str:
    """All of an entry but its id, its place in the chain and its hash. Raises Unstable."""
    return canonical(
        {
            "version": row.version,
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "body": row.body,
        }
    )


def link(previous: str, text: str) -> str:
    """SHA-256 in hex over the hash before, a line feed, and the text."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def follow(rows: Iterable[Row], *, noted: str = GENESIS) -> Verified:
    """Walk the chain from its beginning to its end, or to the first entry that breaks it."""
    count, head, seen = 0, GENESIS, noted == GENESIS
    for row in rows:
        if why := _flaw(row, head):
            return Verified(count, head, Break(row.id, why), seen)
        count, head = count + 1, row.hash
        seen = seen or head == noted
    return Verified(count, head, None, seen)


def _flaw(row: Row, head: str) -> str:
    try:
        fits = row.hash == link(row.previous, text_of(row))
    except Unstable:  # SQLite keeps any type in any column
        fits = False
    if not fits:
        return CHANGED
    return "" if row.previous == head else UNLINKED


def _plain(value: object, where: str) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{at}]") for at, item in enumerate(value)]
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value, where)
    raise Unstable(f"{where} is a {type(value).__name__}, which has no one way to be written down.")


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise Unstable(f"{where} has the key {key!r}; keys must be text.")
    return _text(key, where)


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unstable(f"{where} holds half a character, which cannot be stored.") from None
    return str(value)


def _whole(value: int, where: str) -> int:
    if value.bit_length() >= _BITS:
        raise Unstable(f"{where} is a number beyond {_BITS} bits.")
    return int(value)


def _fraction(value: float, where: str) -> float:
    if value - value != 0:
        raise Unstable(f"{where} is {value}, which JSON cannot say.")
    return float(value)


def _instant(value: datetime, where: str) -> str:
    if value.utcoffset() is None:
        raise Unstable(f"{where} is {value.isoformat()} without an offset, so at no certain time.")
    try:
        return value.astimezone(UTC).isoformat()
    except OverflowError:
        raise Unstable(
            f"{where} is {value.isoformat()}, which lies outside the calendar."
        ) from None


def _duration(value: timedelta, where: str) -> str:
    try:
        return iso.format_duration(value)
    except ValueError as error:
        raise Unstable(f"{where}: {error}") from None


_WRITERS: dict[type, Callable[[Any, str], object]] = {
    str: _text,
    int: _whole,
    float: _fraction,
    datetime: _instant,
    timedelta: _duration,
}
