"""Feeds over a real database, from a calendar server on loopback."""

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from calendar_guard import feeds, services, tasks, writing
from calendar_guard.models import Feed, Wedding
from tests.calendar_guard.examples import DAY, HOUR, LONDON, MINUTE
from tests.calendar_guard.feeds.published import NOW, entry, make_feed, publish, several, sync, uids
from tests.calendar_guard.running import grant
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db


def test_a_feeds_weddings_are_protected_and_it_is_good(server: CalendarServer, feed: Feed) -> None:
    publish(server, entry("a", NOW + 2 * HOUR, LOCATION="Hall"), *several(2))
    word = sync(feed)

    assert (word.outcome, word.saved, word.removed) == ("written", 3, 0)
    party = Wedding.objects.get(uid="a")
    assert (party.source, party.title, party.venue) == (feed.source, "Wedding a", "Hall")
    assert (party.zone, party.starts_at, party.status) == (LONDON, NOW + 2 * HOUR, "confirmed")
    assert not services.check(start=NOW + 2 * HOUR, duration=HOUR, now=NOW).safe
    assert (feed.good_at, feed.checked_at, feed.event_count) == (NOW, NOW, 3)
    assert (feed.problem, feed.broken_at, feed.trouble(NOW)) == ("", None, "")
    assert feed.known_until == NOW + 400 * DAY
    assert feed.due_at == NOW + 15 * MINUTE


def test_an_unchanged_feed_costs_no_write(server: CalendarServer, feed: Feed) -> None:
    publish(server, *several(20), etag=False)
    sync(feed)
    with CaptureQueriesContext(connection) as queries:
        word = sync(feed, NOW + HOUR)
    written = [q["sql"] for q in queries if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]

    assert (word.outcome, word.saved) == ("fresh", 0)
    assert len(written) == 2  # its claim and its result
    assert all("calendar_guard_feed" in sql for sql in written)
    assert feed.good_at == NOW + HOUR


def test_changed_moved_and_new_events_are_written_and_gone_ones_removed(
    server: CalendarServer, feed: Feed
) -> None:
    old = several(4)
    publish(server, *old)
    sync(feed)
    moved = entry(1, NOW + 9 * DAY)
    renamed = entry(2, NOW + 3 * DAY, SUMMARY="Ada and Grace")
    publish(server, old[0], moved, renamed, entry("new", NOW + 5 * DAY))
    word = sync(feed, NOW + HOUR)

    assert (word.saved, word.removed) == (3, 1)
    assert uids() == ["0", "1", "2", "new"]
    assert Wedding.objects.get(uid="1").starts_at == NOW + 9 * DAY
    assert Wedding.objects.get(uid="2").title == "Ada and Grace"


def test_only_the_feeds_own_weddings_are_removed(server: CalendarServer, feed: Feed) -> None:
    publish(server, *several(3))
    for source in ("", "feed 999"):
        day = {"starts_at": NOW + DAY, "ends_at": NOW + 2 * DAY}
        Wedding.objects.create(title="By hand", zone=LONDON, source=source, uid=source, **day)
    sync(feed)
    publish(server, *several(2))
    sync(feed, NOW + HOUR)

    assert uids() == ["", "0", "1", "feed 999"]


def test_what_has_begun_or_is_over_stays_when_a_feed_forgets_it(
    server: CalendarServer, feed: Feed
) -> None:
    over, under_way = entry("over", NOW - 5 * DAY), entry("under way", NOW - HOUR)
    publish(server, over, under_way, entry("set-up", NOW + HOUR), entry("ahead", NOW + 3 * HOUR))
    sync(feed)
    publish(server, entry("other", NOW + DAY))
    sync(feed, NOW + MINUTE)

    assert uids() == ["other", "over", "set-up", "under way"]


def test_what_a_person_lets_begin_while_its_feed_is_read_stays(
    server: CalendarServer, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server, *several(6))
    sync(feed)
    publish(server, *several(6)[1:], entry("new", NOW + DAY))
    save = writing.write_weddings

    def put_forward(**asked: Any) -> object:
        monkeypatch.setattr(writing, "write_weddings", save)
        Wedding.objects.filter(uid="0").update(starts_at=NOW - HOUR)
        return save(**asked)

    monkeypatch.setattr(writing, "write_weddings", put_forward)
    sync(feed, NOW + MINUTE)
    assert "0" in uids()


def test_a_persons_word_stands(server: CalendarServer, feed: Feed) -> None:
    publish(server, *several(2), entry("live", NOW - HOUR, 2), entry("done", NOW - 2 * HOUR, 4))
    sync(feed)
    Wedding.objects.filter(uid="0").update(setup=5 * HOUR, notes="Fireworks", guests=80)
    for uid, status in (("live", "live"), ("done", "completed")):
        wedding = Wedding.objects.get(uid=uid)
        wedding.status, wedding.completed_at = status, NOW if status == "completed" else None
        wedding.save()
    second = several(2)[1]
    publish(server, entry(0, NOW + 2 * DAY), second, entry("done", NOW - 2 * HOUR, 5))
    sync(feed, NOW + HOUR)

    kept = Wedding.objects.get(uid="0")
    assert (kept.starts_at, kept.setup, kept.notes, kept.guests) == (
        NOW + 2 * DAY,
        5 * HOUR,
        "Fireworks",
        80,
    )
    assert Wedding.objects.get(uid="live").status == "live"
    assert Wedding.objects.get(uid="done").status == "completed"


def test_a_completed_wedding_that_moves_ahead_is_protected_again(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, entry("a", NOW - 2 * HOUR, 4))
    sync(feed)
    Wedding.objects.update(status="completed", completed_at=NOW)
    publish(server, entry("a", NOW + DAY))
    sync(feed, NOW + HOUR)

    moved = Wedding.objects.get()
    assert (moved.status, moved.completed_at) == ("confirmed", None)


def test_what_is_live_though_it_is_far_from_begun_moves_with_its_feed(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, entry("a", NOW + 5 * DAY))
    sync(feed)
    Wedding.objects.update(status="live")
    publish(server, entry("a", NOW + 5 * DAY, SUMMARY="Ada and Grace"))
    sync(feed, NOW + HOUR)
    assert Wedding.objects.get().status == "live"

    publish(server, entry("a", NOW + 6 * DAY))
    assert sync(feed, NOW + 2 * HOUR).saved == 1
    moved = Wedding.objects.get()
    assert (moved.starts_at, moved.status) == (NOW + 6 * DAY, "confirmed")


def test_a_cancelled_event_protects_nothing(server: CalendarServer, feed: Feed) -> None:
    others = [entry(day, NOW + day * DAY) for day in (7, 8)]
    publish(server, entry("a", NOW + DAY), *others)
    sync(feed)
    publish(server, entry("a", NOW + DAY, STATUS="CANCELLED"), *others)
    sync(feed, NOW + HOUR)

    assert Wedding.objects.get(uid="a").status == "cancelled"
    assert services.check(start=NOW + DAY, duration=HOUR, now=NOW + HOUR).safe


def test_an_event_added_to_a_feed_stops_a_running_test(server: CalendarServer, feed: Feed) -> None:
    publish(server)
    sync(feed)
    grant()
    publish(server, entry("a", NOW + 2 * HOUR))
    word = sync(feed, NOW + MINUTE)

    assert word.stopped == 1
    assert services.permits_in_force(now=NOW + MINUTE) == []


@pytest.mark.parametrize(
    "after",
    [
        {"STATUS": "CANCELLED"},
        {"DTSTART": "20260620T100000Z", "DTEND": "20260620T180000Z"},
        {"DTSTART": "20260601T100000Z", "DTEND": "20260601T180000Z"},
        {"DTEND": "20260610T083000Z"},
    ],
)
@pytest.mark.parametrize("status", ["confirmed", "live"])
def test_a_wedding_under_way_stays_protected_whatever_its_feed_says(
    server: CalendarServer, feed: Feed, after: dict[str, str], status: str
) -> None:
    publish(server, entry("a", NOW - HOUR), entry("b", NOW + DAY))
    sync(feed)
    Wedding.objects.filter(uid="a").update(status=status)
    publish(server, entry("a", NOW - HOUR, 8, **after), entry("b", NOW + DAY))
    sync(feed, NOW + MINUTE)

    kept = Wedding.objects.get(uid="a")
    assert (kept.starts_at, kept.ends_at, kept.status) == (NOW - HOUR, NOW + 7 * HOUR, status)
    assert not services.check(start=NOW + 6 * HOUR, duration=HOUR, now=NOW + MINUTE).safe


def test_a_wedding_under_way_that_is_put_off_by_hours_is_protected_through_both(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, entry("a", NOW + HOUR))  # its set-up has begun
    sync(feed)
    publish(server, entry("a", NOW + 10 * HOUR))
    sync(feed, NOW + MINUTE)

    kept = Wedding.objects.get()
    assert (kept.starts_at, kept.ends_at) == (NOW + HOUR, NOW + 18 * HOUR)


def test_what_a_feed_puts_off_to_another_day_is_followed_once_the_old_span_is_over(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, entry("a", NOW - HOUR))
    sync(feed)
    publish(server, entry("a", NOW + 5 * DAY))
    sync(feed, NOW + MINUTE)
    assert Wedding.objects.get().starts_at == NOW - HOUR
    sync(feed, NOW + 9 * HOUR)
    assert Wedding.objects.get().starts_at == NOW + 5 * DAY


@pytest.mark.bulk
def test_large_changes_go_in_pieces_additions_first(
    server: CalendarServer, feed: Feed, django_assert_max_num_queries: Any
) -> None:
    publish(server, *(entry(f"old {n}", NOW + DAY + n * MINUTE) for n in range(600)))
    with django_assert_max_num_queries(60):
        assert sync(feed).saved == 600
    publish(server, *(entry(f"new {n}", NOW + DAY + n * MINUTE) for n in range(1_100)))
    with CaptureQueriesContext(connection) as queries:
        word = sync(feed, NOW + HOUR)
    order = [
        q["sql"].split()[0]
        for q in queries
        if q["sql"].startswith(("INSERT", "DELETE")) and '"calendar_guard_wedding"' in q["sql"]
    ]

    assert (word.saved, word.removed) == (1_100, 600)
    assert order == sorted(order, reverse=True)  # INSERT before DELETE
    assert "DELETE" in order


def test_a_feed_that_has_not_changed_says_so_and_stays_good(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, *several(2), date="Wed, 10 Jun 2026 08:00:00 GMT")
    sync(feed)
    word = sync(feed, NOW + HOUR)

    assert (word.outcome, feed.good_at) == ("fresh", NOW + HOUR)
    asked = server.asked[-1].headers
    assert asked["if-none-match"] == feed.etag
    assert asked["if-modified-since"] == "Wed, 10 Jun 2026 08:00:00 GMT"
    assert "if-none-match" not in server.asked[0].headers


def test_repeating_events_come_into_sight_though_the_feed_never_changes(
    server: CalendarServer, feed: Feed
) -> None:
    weekly = entry("w", NOW + DAY, RRULE="FREQ=WEEKLY")
    publish(server, weekly)
    sync(feed)
    first = Wedding.objects.count()
    sync(feed, NOW + 23 * HOUR)
    assert Wedding.objects.count() == first

    later = NOW + 14 * DAY
    sync(feed, later)
    assert "if-none-match" not in server.asked[-1].headers
    assert Wedding.objects.count() == first + 2
    assert feed.known_until == later + 400 * DAY


def test_one_feed_that_fails_keeps_no_other_unread(
    server: CalendarServer,
    feed: Feed,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish(server, *several(2))
    bad = make_feed(server.url(), name="Bad", due_at=NOW - HOUR)
    read = feeds.sync

    def sync_or_fail(*, feed_id: int, now: datetime) -> feeds.SyncWord:
        if feed_id == bad.pk:
            raise DatabaseError("Key (title)=(Ada & Grace) already exists.")
        return read(feed_id=feed_id, now=now)

    def fail(**_: object) -> int:
        raise DatabaseError("Failing row contains (Ada & Grace).")

    monkeypatch.setattr(feeds, "sync", sync_or_fail)
    monkeypatch.setattr(writing, "follow_zone_data", fail)
    with time_machine.travel(NOW, tick=False):
        tasks.tick()
    bad.refresh_from_db()

    assert uids() == ["0", "1"]
    assert "the worker's log says how" in bad.problem
    errors = [one.message for one in caplog.records if one.levelname == "ERROR"]
    assert [message.partition("\n")[0] for message in errors] == [
        "The new zone data could not be followed: DatabaseError, at",
        f"feed {bad.pk} could not be read: DatabaseError, at",
    ]
    assert "in sync_or_fail" in caplog.text


def test_the_log_says_where_a_reading_failed_and_quotes_no_row(
    server: CalendarServer,
    feed: Feed,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    couple = "Ada & Grace"

    def refuse(**_: object) -> None:
        raise DatabaseError(f"Failing row contains ({couple}).") from ValueError(couple)

    publish(server, *several(2))
    monkeypatch.setattr(writing, "write_weddings", refuse)
    with time_machine.travel(NOW, tick=False):
        tasks.tick()

    assert "DatabaseError" in caplog.text
    assert "_save" in caplog.text
    assert couple not in caplog.text


def test_what_a_clock_that_was_ahead_has_read_is_read_again(
    server: CalendarServer, feed: Feed
) -> None:
    """It looked past the weddings of today; and its next reading would be due in a year."""
    publish(server, entry("soon", NOW + DAY), entry("later", NOW + 366 * DAY))
    sync(feed, NOW + 365 * DAY)
    assert uids() == ["later"]
    assert feed.state(NOW) == "stale"
    verdict = services.check(start=NOW, duration=HOUR, now=NOW)
    assert "it was last read by a clock that was ahead" in verdict.blockers[0].what

    with time_machine.travel(NOW, tick=False):
        tasks.tick()
    feed.refresh_from_db()
    assert uids() == ["later", "soon"]
    assert (feed.state(NOW), feed.due_at) == ("fresh", NOW + 15 * MINUTE)


def test_a_feed_that_a_false_clock_read_last_is_not_known_when_that_time_comes(
    server: CalendarServer, feed: Feed
) -> None:
    publish(server, *several(2))
    sync(feed, NOW + 8 * HOUR)
    server.say(500)
    sync(feed, NOW)
    assert feed.state(NOW + 9 * HOUR) == "never read"


def test_a_false_clock_makes_no_feed_known_that_is_broken_or_was_never_read(
    server: CalendarServer, feed: Feed
) -> None:
    made_ahead = make_feed(server.url(), name="Ahead", created_at=NOW + 365 * DAY)
    assert made_ahead.state(NOW) == "never read"
    publish(server, *several(4))
    sync(feed)
    server.publish("<html>")
    sync(feed, NOW + DAY)
    assert feed.state(NOW) == "broken"
