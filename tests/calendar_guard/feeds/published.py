"""A feed as its readers find it, and what they keep of it."""

from datetime import datetime, timedelta
from typing import Any

from calendar_guard import feeds
from calendar_guard.models import Feed, Wedding
from tests.calendar_guard.examples import DAY, LONDON, at
from tests.fakes.calendars import CalendarServer

NOW = at("2026-06-10 10:00", LONDON)  # a Wednesday


def make_feed(url: str, **facts: Any) -> Feed:
    chosen = {"name": "Venues", "zone": LONDON, "created_at": NOW, "due_at": NOW} | facts
    return Feed.objects.create(url=url, **chosen)


def entry(uid: object, starts_at: datetime, hours: float = 8, **lines: str) -> str:
    """One VEVENT in UTC; more lines by keyword."""
    given = {
        "UID": str(uid),
        "SUMMARY": f"Wedding {uid}",
        "DTSTART": f"{starts_at:%Y%m%dT%H%M%SZ}",
        "DTEND": f"{starts_at + timedelta(hours=hours):%Y%m%dT%H%M%SZ}",
    } | lines
    body = "\r\n".join(f"{name}:{value}" for name, value in given.items())
    return f"BEGIN:VEVENT\r\n{body}\r\nEND:VEVENT"


def calendar(*entries: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *entries, "END:VCALENDAR", ""])


def several(count: int, **lines: str) -> list[str]:
    return [entry(number, NOW + (number + 1) * DAY, 8, **lines) for number in range(count)]


def sync(feed: Feed, now: datetime = NOW) -> feeds.SyncWord:
    word = feeds.sync(feed_id=feed.pk, now=now)
    feed.refresh_from_db()
    return word


def uids() -> list[str]:
    return sorted(Wedding.objects.values_list("uid", flat=True))


def publish(server: CalendarServer, *entries: str, **marks: Any) -> None:
    server.publish(calendar(*entries), **marks)
