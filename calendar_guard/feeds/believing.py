"""Is a feed's new content to be believed? Half as much as before is not, till a person says so."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from calendar_guard import ical
from calendar_guard.models import Feed, Wedding

# Halving a calendar again and again is shrinking too, within this time.
REMEMBERED = timedelta(days=7)
# By how many days from the refusal an accepted content is known again.
_COMPARED = timedelta(days=365)


def doubt(feed: Feed, ahead: int, now: datetime) -> str:
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


def most(feed: Feed, starts: Iterable[datetime], now: datetime, *, anew: bool) -> dict[str, Any]:
    """What to remember as the most, if this reading has more to come or the old one counts no more.

    By day, since then a wedding that goes by drops out of it without a word.
    """
    by_day = Counter(_day(one) for one in starts if one > now)
    if not anew and _after(by_day, now) < _most_ahead(feed, now):
        return {}
    return {"most_at": now, "most_by_day": by_day}


def is_accepted(feed: Feed, occasions: Iterable[ical.Occasion]) -> bool:
    accepted = feed.accepted_digest
    return bool(accepted) and accepted == digest(occasions, accepted[:8])


def digest(occasions: Iterable[ical.Occasion], day: str) -> str:
    """Of what takes place when, from `day` on, with it in front; the bytes of a file may differ at
    each fetch, and repeating events come into sight as time goes by."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    compared = sorted(
        (one.uid, one.zone, str(one.starts_local), str(one.ends_local), one.status)
        for one in occasions
        if first <= one.starts_at < first + _COMPARED
    )
    return day + sha256(repr(compared).encode()).hexdigest()[:56]
