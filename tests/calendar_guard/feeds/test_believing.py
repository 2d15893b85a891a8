"""A feed whose content cannot be trusted keeps what was known."""

import pytest

from calendar_guard.models import Feed, Wedding
from tests.calendar_guard.examples import DAY, HOUR
from tests.calendar_guard.feeds.published import NOW, calendar, entry, publish, several, sync, uids
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db


def test_a_feed_that_shrinks_by_half_keeps_the_old_data(server: CalendarServer, feed: Feed) -> None:
    publish(server, *several(10))
    sync(feed)
    publish(server, *several(5))
    word = sync(feed, NOW + HOUR)

    assert word.outcome == "broken"
    assert "shrunk from 10 events ahead to 5" in word.problem
    assert len(uids()) == 10
    assert (feed.broken_at, feed.problem) == (NOW + HOUR, word.problem)
    assert feed.trouble(NOW + HOUR) == "its content cannot be trusted; its page says why"
    assert len(feed.refused_digest) == 64


@pytest.mark.parametrize(("before", "after"), [(1, 0), (2, 1), (3, 0), (3, 1)])
def test_a_small_calendar_may_not_halve_or_vanish_either(
    server: CalendarServer, feed: Feed, before: int, after: int
) -> None:
    publish(server, *several(before))
    sync(feed)
    publish(server, *several(after))

    assert sync(feed, NOW + HOUR).outcome == "broken"
    assert len(uids()) == before


def test_a_calendar_that_is_halved_bit_by_bit_is_not_believed(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, *several(10, RRULE="FREQ=YEARLY;COUNT=1"))
    sync(feed)
    publish(server, *several(6, RRULE="FREQ=YEARLY;COUNT=1"))
    assert sync(feed, NOW + HOUR).removed == 4
    publish(server, *several(4, RRULE="FREQ=YEARLY;COUNT=1"))
    assert "shrunk from 10 events" in sync(feed, NOW + 2 * HOUR).problem


def test_what_was_known_more_than_a_week_ago_is_no_measure(
    server: CalendarServer, feed: Feed
) -> None:
    late = [entry(n, NOW + (n + 30) * DAY) for n in range(10)]
    for hours, count in ((0, 10), (1, 6), (8 * 24, 6), (8 * 24 + 1, 4)):
        publish(server, *late[:count])
        assert sync(feed, NOW + hours * HOUR).outcome in {"written", "fresh"}


def test_the_last_weddings_of_a_season_may_go_by(server: CalendarServer, feed: Feed) -> None:
    weddings = several(4)
    publish(server, *weddings)
    sync(feed)
    publish(server, *weddings[:3])  # one is called off
    sync(feed, NOW + HOUR)
    for day in range(5):
        publish(server, *weddings[day:3])
        assert sync(feed, NOW + (day + 1) * DAY + HOUR).outcome == "fresh"


def test_a_smaller_calendar_is_accepted_though_its_bytes_change(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, *several(10, RRULE="FREQ=WEEKLY"))
    sync(feed)
    publish(server, *several(3, RRULE="FREQ=WEEKLY", DTSTAMP="20260610T100000Z"))
    assert sync(feed, NOW + HOUR).outcome == "broken"
    Feed.objects.update(accepted_digest=feed.refused_digest)
    publish(server, *several(2, RRULE="FREQ=WEEKLY", DTSTAMP="20260610T120000Z"))
    assert sync(feed, NOW + 2 * HOUR).outcome == "broken"  # that is another calendar
    publish(server, *several(3, RRULE="FREQ=WEEKLY", DTSTAMP="20260610T130000Z"))

    assert sync(feed, NOW + 30 * HOUR).outcome == "written"
    assert sync(feed, NOW + 31 * HOUR).outcome == "fresh"  # and the old most counts no more


def test_a_feed_that_cancels_more_than_half_is_not_believed_either(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, *several(10))
    sync(feed)
    publish(server, *several(10, STATUS="CANCELLED"))

    assert sync(feed, NOW + HOUR).outcome == "broken"
    assert not Wedding.objects.filter(status="cancelled").exists()


def test_events_that_go_by_are_no_shrinking(server: CalendarServer, feed: Feed) -> None:
    publish(server, *several(10))
    sync(feed)
    publish(server, *several(10)[8:])

    assert sync(feed, NOW + 9 * DAY).outcome == "fresh"


def test_an_accepted_state_is_written_once_and_not_for_ever(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, *several(10))
    sync(feed)
    publish(server)
    sync(feed, NOW + HOUR)
    Feed.objects.update(accepted_digest=feed.refused_digest)
    assert sync(feed, NOW + 2 * HOUR).removed == 10
    assert (feed.broken_at, feed.accepted_digest, feed.refused_digest) == (None, "", "")

    publish(server, *several(10))
    sync(feed, NOW + 3 * HOUR)
    publish(server)
    assert sync(feed, NOW + 4 * HOUR).outcome == "broken"


@pytest.mark.parametrize("content", ["<html>Sign in", calendar(*several(9))[:-20], ""])
def test_content_that_does_not_parse_keeps_the_old_data(
    server: CalendarServer, feed: Feed, content: str
) -> None:
    publish(server, *several(9))
    sync(feed)
    server.publish(content)
    first = sync(feed, NOW + HOUR)
    sync(feed, NOW + 2 * HOUR)

    assert first.outcome == "broken"
    assert len(uids()) == 9
    assert feed.broken_at == NOW + HOUR  # since when, not when last
    assert (feed.good_at, feed.checked_at) == (NOW, NOW + 2 * HOUR)
    assert feed.problem.endswith(".")


def test_a_broken_feed_heals(server: CalendarServer, feed: Feed) -> None:
    publish(server, *several(9))
    sync(feed)
    server.publish("<html>")
    sync(feed, NOW + HOUR)
    publish(server, *several(9))

    assert sync(feed, NOW + 2 * HOUR).outcome == "fresh"  # by its mark alone
    assert (feed.broken_at, feed.problem, feed.good_at) == (None, "", NOW + 2 * HOUR)
