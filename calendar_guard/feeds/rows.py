"""A feed's events as weddings: which are written, which are removed, and what people have said.

New and changed events are written before those that are gone are removed. A wedding that has begun
is not removed: many calendars list only what is still to come. While it is under way it keeps its
status and loses none of its span, though the feed cancel or move it: a person must end it. A
human's word stands: a wedding that is live stays so once its set-up has begun, and set-up,
tear-down, guests, notes and coordinators are never touched.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any, TypeVar

from django.db import connection

from calendar_guard import ical, lasting, writing
from calendar_guard.feeds import claims
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Feed, Wedding
from calendar_guard.words import Window

# A wedding under way that moves by less than this is protected through both its times.
NEAR = timedelta(days=1)
# Who waits for SQLite's lock looks every 100 ms, so without a pause a renewal would never get in:
# https://www.sqlite.org/c3ref/busy_timeout.html
_A_TURN = 0.12

_FIELDS = ("title", "venue", "zone", "starts_at", "ends_at")
_ROW = (*_FIELDS, "status", "setup", "teardown")

T = TypeVar("T")


def write(
    feed: Feed, occasions: Sequence[ical.Occasion], window: Window, now: datetime
) -> tuple[int, int, int]:
    """How many were saved and removed, and the tests that this stopped. Raises Overtaken."""
    rows = Wedding.objects.filter(source=feed.source, ends_at__gt=window.start)
    kept = {row["uid"]: row for row in rows.values("pk", "uid", *_ROW)}
    fresh = [one for one in occasions if not _same(kept.get(one.uid), one, now)]
    saved, removed, stopped = 0, 0, 0
    for some in _batches(fresh):
        saved_now, stopped_now = _save(feed, some, now)
        saved, stopped = saved + saved_now, stopped + stopped_now
    listed = {one.uid for one in occasions}
    gone = [row for uid, row in kept.items() if uid not in listed and _may_go(row, window, now)]
    for pks in _batches([row["pk"] for row in gone]):
        removed += _remove(feed, pks, window, now)
    return saved, removed, stopped


def keeps_against(feed: Feed, occasions: Iterable[ical.Occasion], now: datetime) -> bool:
    """Whether a wedding under way stays as it is though the feed says otherwise."""
    begun = Wedding.objects.filter(
        source=feed.source, guarded_from__lte=now, guarded_until__gt=now
    ).exclude(status=Wedding.Status.COMPLETED)
    spans = {uid: span for uid, *span in begun.values_list("uid", "starts_at", "ends_at")}
    return any(
        one.uid in spans
        and (one.status == "cancelled" or [one.starts_at, one.ends_at] != spans[one.uid])
        for one in occasions
    )


def _save(feed: Feed, occasions: Sequence[ical.Occasion], now: datetime) -> tuple[int, int]:
    """One short transaction. The rows are read under the lock: a person may be at work on them."""
    with calendar_lock():
        claims.check(feed)
        uids = [one.uid for one in occasions]
        rows = Wedding.objects.filter(source=feed.source, uid__in=uids)
        kept = {wedding.uid: wedding for wedding in rows}
        save = []
        for one in occasions:
            wedding = kept.get(one.uid) or Wedding(source=feed.source, uid=one.uid)
            row = {name: getattr(wedding, name) for name in _ROW} if wedding.pk else None
            for name, value in _facts(row, one, now).items():
                setattr(wedding, name, value)
            save.append(wedding)
        return len(save), len(writing.write_weddings(save=save, by=feed.source, now=now))


def _remove(feed: Feed, pks: Sequence[int], window: Window, now: datetime) -> int:
    """Looked at again under the lock, as in `_save`: a person may have let one begin meanwhile."""
    with calendar_lock():
        claims.check(feed)
        still = Wedding.objects.filter(pk__in=pks).exclude(status=Wedding.Status.LIVE)
        gone = [row["pk"] for row in still.values("pk", *_ROW) if _may_go(row, window, now)]
        writing.write_weddings(delete=gone, by=feed.source, now=now)
        return len(gone)


def _same(row: dict[str, Any] | None, one: ical.Occasion, now: datetime) -> bool:
    return row is not None and _facts(row, one, now).items() <= row.items()


def _facts(row: dict[str, Any] | None, one: ical.Occasion, now: datetime) -> dict[str, Any]:
    """What is to be known of an event; `row` is what is known."""
    told = {name: getattr(one, name) for name in _FIELDS}
    if row is None:
        return told | {"status": one.status}
    if not _is_under_way(row, now):
        return told | {"status": _status(row, one.starts_at, one.status, now)}
    near = one.starts_at <= row["ends_at"] + NEAR and row["starts_at"] <= one.ends_at + NEAR
    starts_at = min(row["starts_at"], one.starts_at)
    ends_at = max(row["ends_at"], one.ends_at)
    if one.status == "cancelled" or not near or ends_at - starts_at > lasting.LONGEST:
        return {name: row[name] for name in (*_FIELDS, "status")}
    both = {"starts_at": starts_at, "ends_at": ends_at}
    return told | both | {"status": _status(row, starts_at, one.status, now)}


def _is_under_way(row: dict[str, Any], now: datetime) -> bool:
    """From its set-up to the planned end of its tear-down; a live one until a person ends it."""
    if row["status"] in {Wedding.Status.COMPLETED, Wedding.Status.CANCELLED}:
        return False
    over = row["status"] != Wedding.Status.LIVE and row["ends_at"] + row["teardown"] <= now
    return row["starts_at"] - row["setup"] <= now and not over


def _status(row: dict[str, Any], starts_at: datetime, said: str, now: datetime) -> str:
    """Live and completed are said by people; neither of a wedding that is moved ahead."""
    kept = str(row["status"])
    if kept == Wedding.Status.LIVE:
        ahead = starts_at != row["starts_at"] and starts_at - row["setup"] > now
        return said if ahead else kept
    if kept == Wedding.Status.COMPLETED and starts_at <= now:
        return kept
    return said


def _may_go(row: dict[str, Any], window: Window, now: datetime) -> bool:
    begun = row["starts_at"] - row["setup"] <= now
    return not begun and row["starts_at"] < window.end


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    for first in range(0, len(items), writing.BATCH):
        if first and connection.vendor == "sqlite":
            Event().wait(_A_TURN)
        yield list(items[first : first + writing.BATCH])
