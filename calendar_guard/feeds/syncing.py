"""Brings one feed's weddings up to date; whatever goes wrong, what is known stays protected."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calendar_guard import fetching, ical
from calendar_guard.feeds import believing, claims, rows
from calendar_guard.models import Feed
from calendar_guard.words import Window

BACK, AHEAD = timedelta(days=30), timedelta(days=400)
EVERY, AGAIN_AFTER = timedelta(minutes=15), timedelta(minutes=5)
# Repeating events come into sight as time goes by, so an unchanged feed is read again as well.
READ_ANEW_AFTER = timedelta(hours=24)

# What a sync can come to.
FRESH, WRITTEN, BROKEN, UNREACHED = "fresh", "written", "broken", "unreached"
OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class SyncWord:
    """`outcome` is fresh (nothing new), written, broken (not to be trusted), unreached, or
    overtaken (the feed changed or was read anew meanwhile)."""

    outcome: str
    problem: str = ""
    saved: int = 0
    removed: int = 0
    stopped: int = 0  # tests, running or scheduled, whose permits this revoked


def sync(*, feed_id: int, now: datetime) -> SyncWord:
    """Fetch, judge and write one feed. Raises UnknownFeed; other troubles become its `problem`."""
    feed = claims.claim(feed_id)
    try:
        return _read(feed, now)
    except claims.Overtaken:
        problem = "It was changed or read anew meanwhile, so this reading was left."
        return SyncWord(OVERTAKEN, problem)


def _read(feed: Feed, now: datetime) -> SyncWord:
    window = Window(now - BACK, now + AHEAD)
    if feed.is_read_ahead(now):
        feed.good_at = feed.known_until = None
        claims.note(feed, good_at=None, known_until=None)
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
    accepted = believing.is_accepted(feed, occasions)
    if not accepted and (doubt := believing.doubt(feed, sum(one > now for one in starts), now)):
        return _broken(feed, doubt, believing.digest(occasions, f"{now:%Y%m%d}"), now)
    saved, removed, stopped = rows.write(feed, occasions, window, now)
    _settle(
        feed,
        now,
        good_at=now,
        known_until=window.end,
        event_count=sum(one.status != "cancelled" and one.ends_at > now for one in occasions),
        **_marks(fetched, kept=rows.keeps_against(feed, occasions, now)),
        accepted_digest="",  # it was a word about one content, once
        **believing.most(feed, starts, now, anew=accepted),
    )
    outcome = WRITTEN if saved or removed else FRESH
    return SyncWord(outcome, saved=saved, removed=removed, stopped=stopped)


def _marks(fetched: fetching.Fetched, *, kept: bool) -> dict[str, str]:
    """None while a wedding under way is kept against the feed's word: it is to be said again."""
    return {
        "etag": "" if kept else fetched.etag,
        "last_modified": "" if kept else fetched.last_modified,
    }


def _fresh(feed: Feed, now: datetime) -> SyncWord:
    """The marks are those of the last content that was good, so it is what is served again."""
    _settle(feed, now, good_at=now)
    return SyncWord(FRESH)


def _settle(feed: Feed, now: datetime, **facts: Any) -> None:
    clean = {"problem": "", "broken_at": None, "refused_digest": ""}
    claims.note(feed, checked_at=now, due_at=now + EVERY, **clean, **facts)


def _unreached(feed: Feed, problem: str, now: datetime) -> SyncWord:
    """Nothing is known about the calendar itself; the feed goes stale by age."""
    claims.note(feed, problem=problem, checked_at=now, due_at=now + AGAIN_AFTER)
    return SyncWord(UNREACHED, problem)


def _broken(feed: Feed, problem: str, digest: str, now: datetime) -> SyncWord:
    claims.note(
        feed,
        broken_at=feed.broken_at or now,
        problem=problem,
        refused_digest=digest,
        checked_at=now,
        due_at=now + AGAIN_AFTER,
    )
    return SyncWord(BROKEN, problem)
