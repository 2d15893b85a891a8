"""Two readings of one feed, and changes to it while it is read."""

from collections.abc import Callable

import pytest

from calendar_guard import feeds, fetching
from calendar_guard.models import Feed
from tests.calendar_guard.examples import DAY
from tests.calendar_guard.feeds.published import NOW, calendar, entry, publish, several, sync, uids
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """`act` happens once, after the next answer came and before it is looked at."""
    fetch = fetching.fetch

    def fetch_slowly(**asked: str) -> fetching.Fetched:
        monkeypatch.setattr(fetching, "fetch", fetch)
        try:
            return fetch(**asked)
        finally:
            act()

    monkeypatch.setattr(fetching, "fetch", fetch_slowly)


@pytest.mark.parametrize("content", [calendar(*several(2)), "<html>", None])
def test_a_reading_says_nothing_of_an_address_that_came_meanwhile(
    server: CalendarServer, feed: Feed, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    server.publish(content) if content else server.say(500)
    others = {"url": "https://other.example/a.ics"}
    meanwhile(monkeypatch, lambda: Feed.objects.update(**others))
    word = sync(feed)

    assert word.outcome == "overtaken"
    assert (feed.good_at, feed.checked_at, feed.problem, feed.etag) == (None, None, "", "")
    assert uids() == []


def test_the_older_of_two_readings_removes_nothing_that_the_newer_wrote(
    server: CalendarServer, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server, *several(3))

    def read_the_newer_calendar() -> None:
        publish(server, *several(3), entry("new", NOW + DAY))
        assert feeds.sync(feed_id=feed.pk, now=NOW).outcome == "written"

    meanwhile(monkeypatch, read_the_newer_calendar)
    assert sync(feed).outcome == "overtaken"
    assert uids() == ["0", "1", "2", "new"]
    assert feed.event_count == 4
