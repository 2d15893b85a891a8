"""Brings one feed's weddings up to date; whatever goes wrong, what is known stays protected.

New and changed events are written before those that are gone are removed. A wedding that has begun
is not removed: many calendars list only what is still to come. While it is under way it keeps its
status and loses none of its span, though the feed cancel or move it: a person must end it. A
human's word stands: a wedding that is live stays so, and set-up, tear-down, guests, notes and
coordinators are never touched.

Each reading claims its feed as it begins, and writes only while the claim stands and the feed is
the one it read: a later reading, another address or another zone ends it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from threading import Event
from typing import Any, TypeVar
from uuid import uuid4

from django.db import connection
from django.db.models import QuerySet

from calendar_guard import fetching, ical, writing
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Feed, Wedding
from calendar_guard.words import Window

BACK, AHEAD = timedelta(days=30), timedelta(days=400)
EVERY, AGAIN_AFTER = timedelta(minutes=15), timedelta(minutes=5)
# Repeating events come into sight as time goes by, so an unchanged feed is read again as well.
READ_ANEW_AFTER = timedelta(hours=24)
# Halving a calendar again and again is shrinking too, within this time.
REMEMBERED = timedelta(days=7)
# A wedding under way that moves by less than this is protected through both its times.
NEAR = timedelta(days=1)
# By how many days from the refusal an accepted content is known again.
_COMPARED = timedelta(days=365)

# Who waits for SQLite's lock looks every 100 ms, so without a pause a renewal would never get in:
# https://www.sqlite.org/c3ref/busy_timeout.html
_A_TURN = 0.12

# What a sync can come to.
FRESH, WRITTEN, BROKEN, UNREACHED = "fresh", "written", "broken", "unreached"
OVERTAKEN = "overtaken"

_FIELDS = ("title", "venue", "zone", "starts_at", "ends_at")
_ROW = (*_FIELDS, "status", "setup", "teardown")

T = TypeVar("T")


class UnknownFeed(LookupError):
    pass


class _Overtaken(Exception):
    """The claim is gone: nothing more may be written."""


@dataclass(frozen=True, slots=True)
class SyncWord:
    """`outcome` is fresh (nothing new), written, broken (not to be trusted), unreached, or
    overtaken (the feed changed or was read anew meanwhile)."""

    feed_id: int
    outcome: str
    problem: str = ""
    saved: int = 0
    removed: int = 0
    stopped: int = 0  # running tests whose permits this revoked


def sync(*, feed_id: int, now: datetime) -> SyncWord:
    """Fetch, judge and write one feed. Raises UnknownFeed; other troubles become its `problem`."""
    feed = _claim(feed_id)
    try:
        return _read(feed, now)
    except _Overtaken:
        problem = "It was changed or read anew meanwhile, so this reading was left."
        return SyncWord(feed_id, OVERTAKEN, problem)


def _claim(feed_id: int) -> Feed:
    """Under the lock: what an overtaken reading still wrote is seen by the one that overtook it."""
    with calendar_lock():
        claimed = Feed.objects.filter(pk=feed_id)
        if not claimed.update(reading=uuid4().hex):
            raise UnknownFeed(f"There is no feed {feed_id}.")
        return claimed.get()


def _claimed(feed: Feed) -> QuerySet[Feed]:
    """The feed's row, as long as the claim stands and it is the calendar that was asked for."""
    same = {name: getattr(feed, name) for name in ("pk", "reading", "url", "zone")}
    return Feed.objects.filter(**same)


def _note(feed: Feed, **facts: Any) -> None:
    if not _claimed(feed).update(**facts):
        raise _Overtaken


def _read(feed: Feed, now: datetime) -> SyncWord:
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
    try:
        occasions = ical.read(fetched.content, zone=feed.zone, window=window)
    except ical.Unreadable as unreadable:
        return _broken(feed, str(unreadable), "", now)
    starts = [one.starts_at for one in occasions if one.status != "cancelled"]
    accepted = _is_accepted(feed, occasions)
    if not accepted and (doubt := _doubt(feed, sum(one > now for one in starts), now)):
        return _broken(feed, doubt, _digest(occasions, f"{now:%Y%m%d}"), now)
    word = _write(feed, occasions, window, now)
    _settle(
        feed,
        now,
        good_at=now,
        known_until=window.end,
        event_count=sum(one.status != "cancelled" and one.ends_at > now for one in occasions),
        **_marks(feed, fetched, occasions, now),
        accepted_digest="",  # it was a word about one content, once
        **_most(feed, starts, now, anew=accepted),
    )
    return word


def _marks(
    feed: Feed, fetched: fetching.Fetched, occasions: Iterable[ical.Occasion], now: datetime
) -> dict[str, str]:
    """None while a wedding under way is kept against the feed's word: it is to be said again."""
    begun = Wedding.objects.filter(
        source=feed.source, guarded_from__lte=now, guarded_until__gt=now
    ).exclude(status=Wedding.Status.COMPLETED)
    spans = {uid: span for uid, *span in begun.values_list("uid", "starts_at", "ends_at")}
    kept = any(
        one.uid in spans
        and (one.status == "cancelled" or [one.starts_at, one.ends_at] != spans[one.uid])
        for one in occasions
    )
    return {
        "etag": "" if kept else fetched.etag,
        "last_modified": "" if kept else fetched.last_modified,
    }


def _fresh(feed: Feed, now: datetime) -> SyncWord:
    """The marks are those of the last content that was good, so it is what is served again."""
    _settle(feed, now, good_at=now)
    return SyncWord(feed.pk, FRESH)


def _settle(feed: Feed, now: datetime, **facts: Any) -> None:
    clean = {"problem": "", "broken_at": None, "refused_digest": ""}
    _note(feed, checked_at=now, due_at=now + EVERY, **clean, **facts)


def _unreached(feed: Feed, problem: str, now: datetime) -> SyncWord:
    """Nothing is known about the calendar itself; the feed goes stale by age."""
    _note(feed, problem=problem, checked_at=now, due_at=now + AGAIN_AFTER)
    return SyncWord(feed.pk, UNREACHED, problem)


def _broken(feed: Feed, problem: str, digest: str, now: datetime) -> SyncWord:
    _note(
        feed,
        broken_at=feed.broken_at or now,
        problem=problem,
        refused_digest=digest,
        checked_at=now,
        due_at=now + AGAIN_AFTER,
    )
    return SyncWord(feed.pk, BROKEN, problem)


def _doubt(feed: Feed, ahead: int, now: datetime) -> str:
    """Why this content is not to be believed; empty where it is. `ahead` of it have not begun.

    Half of the most that was known within a week, or less, is a doubt: 10 to 5, and 1 to none.
    Counted are weddings that have not begun, so those that simply go by make no calendar shrink.
    """
    count = Wedding.objects.filter(source=feed.source, guarded_from__gt=now).count()
    if ahead >= count:
        return ""
    count = max(count, _most_ahead(feed, now))
    if ahead * 2 > count:
        return ""
    return (
        f"It has shrunk from {count} events ahead to {ahead}. If so many were really cancelled, "
        "accept the new state; until then the old one stays protected."
    )


def _most_ahead(feed: Feed, now: datetime) -> int:
    """Of the most that was known, what lies on the days after today."""
    if feed.most_at is None or feed.most_at <= now - REMEMBERED:
        return 0
    return _after(feed.most_by_day, now)


def _after(by_day: Mapping[str, int], now: datetime) -> int:
    today = _day(now)
    return sum(count for day, count in by_day.items() if day > today)


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _most(feed: Feed, starts: Iterable[datetime], now: datetime, *, anew: bool) -> dict[str, Any]:
    """What to remember as the most, if this reading has more to come or the old one counts no more.

    By day, since then a wedding that goes by drops out of it without a word.
    """
    by_day = Counter(_day(one) for one in starts if one > now)
    if not anew and _after(by_day, now) < _most_ahead(feed, now):
        return {}
    return {"most_at": now, "most_by_day": by_day}


def _is_accepted(feed: Feed, occasions: Iterable[ical.Occasion]) -> bool:
    accepted = feed.accepted_digest
    return bool(accepted) and accepted == _digest(occasions, accepted[:8])


def _digest(occasions: Iterable[ical.Occasion], day: str) -> str:
    """Of what takes place when, from `day` on, with it in front; the bytes of a file may differ at
    each fetch, and repeating events come into sight as time goes by."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    compared = sorted(
        (one.uid, one.zone, str(one.starts_local), str(one.ends_local), one.status)
        for one in occasions
        if first <= one.starts_at < first + _COMPARED
    )
    return day + sha256(repr(compared).encode()).hexdigest()[:56]


def _write(
    feed: Feed, occasions: Sequence[ical.Occasion], window: Window, now: datetime
) -> SyncWord:
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
        removed += _remove(feed, pks, now)
    outcome = WRITTEN if saved or removed else FRESH
    return SyncWord(feed.pk, outcome, saved=saved, removed=removed, stopped=stopped)


def _save(feed: Feed, occasions: Sequence[ical.Occasion], now: datetime) -> tuple[int, int]:
    """One short transaction. The rows are read under the lock: a person may be at work on them."""
    with calendar_lock():
        _check_claim(feed)
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


def _remove(feed: Feed, pks: Sequence[int], now: datetime) -> int:
    with calendar_lock():
        _check_claim(feed)
        still = Wedding.objects.filter(pk__in=pks).exclude(status=Wedding.Status.LIVE)
        gone = list(still.values_list("pk", flat=True))
        writing.write_weddings(delete=gone, by=feed.source, now=now)
        return len(gone)


def _check_claim(feed: Feed) -> None:
    if not _claimed(feed).exists():
        raise _Overtaken


def _same(row: dict[str, Any] | None, one: ical.Occasion, now: datetime) -> bool:
    return row is not None and _facts(row, one, now).items() <= row.items()


def _facts(row: dict[str, Any] | None, one: ical.Occasion, now: datetime) -> dict[str, Any]:
    """What is to be known of an event; `row` is what is known."""
    told = {name: getattr(one, name) for name in _FIELDS}
    if row is None:
        return told | {"status": one.status}
    if not _is_under_way(row, now):
        return told | {"status": _status(row["status"], one, now)}
    near = one.starts_at <= row["ends_at"] + NEAR and row["starts_at"] <= one.ends_at + NEAR
    starts_at = min(row["starts_at"], one.starts_at)
    ends_at = max(row["ends_at"], one.ends_at)
    if one.status == "cancelled" or not near or ends_at - starts_at > ical.LONGEST:
        return {name: row[name] for name in (*_FIELDS, "status")}
    both = {"starts_at": starts_at, "ends_at": ends_at}
    return told | both | {"status": _status(row["status"], one, now)}


def _is_under_way(row: dict[str, Any], now: datetime) -> bool:
    """From its set-up to the planned end of its tear-down; a live one until a person ends it."""
    if row["status"] in {Wedding.Status.COMPLETED, Wedding.Status.CANCELLED}:
        return False
    over = row["status"] != Wedding.Status.LIVE and row["ends_at"] + row["teardown"] <= now
    return row["starts_at"] - row["setup"] <= now and not over


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
