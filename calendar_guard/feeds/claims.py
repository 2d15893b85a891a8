"""Who is reading a feed: each reading claims it, and writes only while the claim stands."""

from typing import Any
from uuid import uuid4

from django.db.models import QuerySet

from calendar_guard.lock import calendar_lock
from calendar_guard.models import Feed


class UnknownFeed(LookupError):
    pass


class Overtaken(Exception):
    """The claim is gone: nothing more may be written."""


def claim(feed_id: int) -> Feed:
    """Under the lock: what an overtaken reading still wrote is seen by the one that overtook it.

    Raises UnknownFeed.
    """
    with calendar_lock():
        claimed = Feed.objects.filter(pk=feed_id)
        if not claimed.update(reading=uuid4().hex):
            raise UnknownFeed(f"There is no feed {feed_id}.")
        return claimed.get()


def note(feed: Feed, **facts: Any) -> None:
    """Raises Overtaken."""
    if not _claimed(feed).update(**facts):
        raise Overtaken


def check(feed: Feed) -> None:
    """Raises Overtaken."""
    if not _claimed(feed).exists():
        raise Overtaken


def _claimed(feed: Feed) -> QuerySet[Feed]:
    """The feed's row, as long as the claim stands and it is the calendar that was asked for."""
    same = {name: getattr(feed, name) for name in ("pk", "reading", "url", "zone")}
    return Feed.objects.filter(**same)
