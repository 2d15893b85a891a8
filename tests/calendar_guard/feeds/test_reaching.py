"""A feed that cannot be reached goes stale."""

import pytest
from pytest_django.fixtures import Settings

from calendar_guard import feeds
from calendar_guard.models import Feed
from tests.calendar_guard.examples import HOUR
from tests.calendar_guard.feeds.published import NOW, make_feed, publish, several, sync, uids
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "words"), [(500, "HTTP status 500"), (403, "password or key"), (404, "no calendar")]
)
def test_a_server_in_trouble_leaves_the_feed_to_go_stale(
    server: CalendarServer, feed: Feed, status: int, words: str
) -> None:
    publish(server, *several(2))
    sync(feed)
    server.say(status)
    word = sync(feed, NOW + HOUR)

    assert (word.outcome, len(uids())) == ("unreached", 2)
    assert words in feed.problem
    assert (feed.broken_at, feed.good_at, feed.checked_at) == (None, NOW, NOW + HOUR)
    assert feed.trouble(NOW + 5 * HOUR) == ""
    assert feed.trouble(NOW + 6 * HOUR) == "it was last read 6 h ago"


def test_a_broken_feed_that_is_out_of_reach_stays_broken(
    server: CalendarServer, feed: Feed
) -> None:
    server.publish("<html>")
    sync(feed)
    server.say(500)
    sync(feed, NOW + HOUR)

    assert feed.broken_at == NOW


def test_a_private_address_is_refused_and_the_setting_named(
    server: CalendarServer, feed: Feed, settings: Settings
) -> None:
    settings.WEDSYNC_FEED_NETWORKS = []
    publish(server, *several(2))
    word = sync(feed)

    assert word.outcome == "unreached"
    assert "a loopback address" in word.problem
    assert "WEDSYNC_FEED_NETWORKS" in word.problem
    assert server.asked == []


def test_a_feed_without_end_or_packed_with_zeros_is_too_large(
    server: CalendarServer, feed: Feed
) -> None:
    server.pour()
    assert "larger than 33,554,432 bytes." in sync(feed).problem
    server.bomb(megabytes=40)
    assert "larger than 33,554,432 bytes once unpacked" in sync(feed).problem


def test_webcal_means_https(server: CalendarServer) -> None:
    """Loopback's server speaks no TLS here, and is asked for it all the same."""
    feed = make_feed(server.url().replace("http", "webcal"))
    assert sync(feed).problem.startswith(f"https://127.0.0.1:{server.port}/…: No safe connection")


@pytest.mark.parametrize("url", ["", "ftp://x/y.ics", "calendar.ics"])
def test_an_address_that_is_none_is_a_problem_in_words(url: str) -> None:
    assert "no web address" in sync(make_feed(url)).problem


def test_an_unknown_feed_is_no_feed() -> None:
    with pytest.raises(feeds.UnknownFeed, match="no feed 404"):
        feeds.sync(feed_id=404, now=NOW)
