"""Brings one feed's weddings up to date; whatever goes wrong, what is known stays protected.

New and changed events are written before those that are gone are removed. A wedding that has begun
is not removed: many calendars list only what is still to come. A human's word stands: a wedding
that is live stays so, and set-up, tear-down, guests, notes and coordinators are never touched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Event
from typing import Any, TypeVar

from django.db import connection

from calendar_guard import fetching, ical, writing
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Feed, Wedding
from calendar_guard.words import Window

BACK, AHEAD = timedelta(days=30), timedelta(days=400)
EVERY, AGAIN_AFTER = timedelta(minutes=15), timedelta(minutes=5)
# Repeating events come into sight as time goes by, so an unchanged feed is read again as well.
READ_ANEW_AFTER = timedelta(hours=24)
SMALL = 4  # fewer events than these may well be cancelled at once

# Who waits for SQLite's lock looks every 100 ms, so without a pause a renewal would never get in:
# https://www.sqlite.org/c3ref/busy_timeout.html
_A_TURN = 0.12

# What a sync can come to.
FRESH, WRITTEN, BROKEN, UNREACHED = "fresh", "written", "broken", "unreached"

_FIELDS = ("title", "venue", "zone", "starts_at", "ends_at")


T = TypeVar("T")


class UnknownFeed(LookupError):
    pass


@dataclass(frozen=True, slots=True)
class SyncWord:
    """`outcome` is fresh (nothing new), written, broken (not to be trusted) or unreached."""

    feed_id: int
    outcome: str
    problem: str = ""
    saved: int = 0
    removed: int = 0
    stopped: int = 0  # running tests whose permits this revoked


def sync(*, feed_id: int, now: datetime) -> SyncWord:
    """Fetch, judge and write one feed. Raises UnknownFeed; other troubles become its `problem`."""
    feed = Feed.objects.filter(pk=feed_id).first()
    if feed is None:
        raise UnknownFeed(f"There is no feed {feed_id}.")
    window = Window(now - BACK, now + AHEAD)
    recent = feed.known_until is not None and feed.known_until > window.end - READ_ANEW_AFTER
    try:
        fetched = fetching.fetch(
            address=feed.url,
            etag=feed.etag if recent else "",
            last_modified=feed.last_modified if recent else "",
        )
    except fetching.Unfetched as failed:
        return _unreached(feed, str(failed), now)
    if fetched.content is None:
        return _fresh(feed, now)
    digest = sha256(fetched.content).hexdigest()
    try:
        occasions = ical.read(fetched.content, zone=feed.zone, window=window)
    except ical.Unreadable as unreadable:
        return _broken(feed, str(unreadable), "", now)
    ahead = sum(one.status != "cancelled" and one.ends_at > now for one in occasions)
    if digest != feed.accepted_digest and (doubt := _doubt(feed, ahead, now)):
        return _broken(feed, doubt, digest, now)
    word = _write(feed, occasions, window, now)
    _settle(
        feed,
        now,
        good_at=now,
        known_until=window.end,
        event_count=ahead,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        accepted_digest="",  # it was a word about one content, once
    )
    return word


def _fresh(feed: Feed, now: datetime) -> SyncWord:
    """The marks are those of the last content that was good, so it is what is served again."""
    _settle(feed, now, good_at=now)
    return SyncWord(feed.pk, FRESH)


def _settle(feed: Feed, now: datetime, **facts: Any) -> None:
    clean = {"problem": "", "broken_at": None, "refused_digest": ""}
    Feed.objects.filter(pk=feed.pk).update(checked_at=now, due_at=now + EVERY, **clean, **facts)


def _unreached(feed: Feed, problem: str, now: datetime) -> SyncWord:
    """Nothing is known about the calendar itself; the feed goes stale by age."""
    again = {"checked_at": now, "due_at": now + AGAIN_AFTER}
    Feed.objects.filter(pk=feed.pk).update(problem=problem, **again)
    return SyncWord(feed.pk, UNREACHED, problem)


def _broken(feed: Feed, problem: str, digest: str, now: datetime) -> SyncWord:
    Feed.objects.filter(pk=feed.pk).update(
        broken_at=feed.broken_at or now,
        problem=problem,
        refused_digest=digest,
        checked_at=now,
        due_at=now + AGAIN_AFTER,
    )
    return SyncWord(feed.pk, BROKEN, problem)


def _doubt(feed: Feed, ahead: int, now: datetime) -> str:
    """Why this content is not to be believed; empty where it is."""
    kept = Wedding.objects.filter(source=feed.source, ends_at__gt=now)
    count = kept.exclude(status=Wedding.Status.CANCELLED).count()
    if count < SMALL or ahead * 2 >= count:
        return ""
    return (
        f"It has shrunk from {count} events ahead to {ahead}. If so many were really cancelled, "
        "accept the new state; until then the old one stays protected."
    )


def _write(
    feed: Feed, occasions: Sequence[ical.Occasion], window: Window, now: datetime
) -> SyncWord:
    rows = Wedding.objects.filter(source=feed.source, ends_at__gt=window.start)
    kept = {row["uid"]: row for row in rows.values("pk", "uid", "status", "setup", *_FIELDS)}
    fresh = [one for one in occasions if not _same(kept.get(one.uid), one, now)]
    saved, removed, stopped = 0, 0, 0
    for some in _batches(fresh):
        saved_now, stopped_now = _save(feed, some, now)
        saved, stopped = saved + saved_now, stopped + stopped_now
    listed = {one.uid for one in occasions}
    gone = [row for uid, row in kept.items() if uid not in listed and _may_go(row, window, now)]
    for pks in _batches([row["pk"] for row in gone]):
        removed += _remove(feed, pks, now)
    outcome = WRITTEN if saved or removed else FRESH
    return SyncWord(feed.pk, outcome, saved=saved, removed=removed, stopped=stopped)


def _save(feed: Feed, occasions: Sequence[ical.Occasion], now: datetime) -> tuple[int, int]:
    """One short transaction. The rows are read under the lock: a person may be at work on them."""
    with calendar_lock():
        uids = [one.uid for one in occasions]
        rows = Wedding.objects.filter(source=feed.source, uid__in=uids)
        kept = {wedding.uid: wedding for wedding in rows}
        save = []
        for one in occasions:
            wedding = kept.get(one.uid) or Wedding(source=feed.source, uid=one.uid)
            for name in _FIELDS:
                setattr(wedding, name, getattr(one, name))
            wedding.status = _status(wedding.status if wedding.pk else "", one, now)
            save.append(wedding)
        return len(save), len(writing.write_weddings(save=save, by=feed.source, now=now))


def _remove(feed: Feed, pks: Sequence[int], now: datetime) -> int:
    with calendar_lock():
        still = Wedding.objects.filter(pk__in=pks).exclude(status=Wedding.Status.LIVE)
        gone = list(still.values_list("pk", flat=True))
        writing.write_weddings(delete=gone, by=feed.source, now=now)
        return len(gone)


def _same(row: dict[str, Any] | None, one: ical.Occasion, now: datetime) -> bool:
    if row is None:
        return False
    unchanged = all(row[name] == getattr(one, name) for name in _FIELDS)
    return unchanged and row["status"] == _status(row["status"], one, now)


def _status(kept: str, one: ical.Occasion, now: datetime) -> str:
    """Live and completed are said by people; completed only of a wedding that has begun."""
    if kept == Wedding.Status.LIVE:
        return kept
    if kept == Wedding.Status.COMPLETED and one.starts_at <= now:
        return kept
    return one.status


def _may_go(row: dict[str, Any], window: Window, now: datetime) -> bool:
    begun = row["starts_at"] - row["setup"] <= now
    return not begun and row["starts_at"] < window.end


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    for first in range(0, len(items), writing.BATCH):
        if first and connection.vendor == "sqlite":
            Event().wait(_A_TURN)
        yield list(items[first : first + writing.BATCH])
