"""Feeds over a real database, from a calendar server on loopback and from files."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from calendar_guard import feeds, fetching, services, tasks, writing
from calendar_guard.models import Feed, Wedding
from tests.calendar_guard.examples import DAY, HOUR, LONDON, MINUTE, at
from tests.calendar_guard.running import grant
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db

NOW = at("2026-06-10 10:00", LONDON)  # a Wednesday
SECRET = "s3cret-key"
IMPORTED = 6_000


@pytest.fixture
def server(settings: Settings) -> Iterator[CalendarServer]:
    settings.WEDSYNC_FEED_NETWORKS = ["127.0.0.0/8"]
    with CalendarServer() as running:
        yield running


@pytest.fixture
def feed(server: CalendarServer) -> Feed:
    return make_feed(server.url())


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


# What a good feed does


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


# Fresh, and fresh again


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


# Overtaken


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


# One that fails


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


# What cannot be trusted


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


# What cannot be reached


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


# Secrets


@pytest.mark.parametrize("by_file", [False, True])
def test_a_secret_joins_when_the_feed_is_fetched(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by_file: bool
) -> None:
    if by_file:
        (tmp_path / "key").write_text(f"{SECRET}\n")
        monkeypatch.setenv("WEDSYNC_FEED_KEY_FILE", str(tmp_path / "key"))
    else:
        monkeypatch.setenv("WEDSYNC_FEED_KEY", SECRET)
    publish(server, *several(2))
    feed = make_feed(server.url("/weddings.ics?key=$WEDSYNC_FEED_KEY"))
    assert sync(feed).outcome == "written"
    assert server.asked[-1].path.endswith(f"?key={SECRET}")

    server.say(403)
    sync(feed, NOW + 25 * HOUR)
    feed.refresh_from_db()
    assert SECRET not in str(vars(feed))


def test_a_secret_that_is_not_set_is_named(server: CalendarServer) -> None:
    word = sync(make_feed(server.url("/$WEDSYNC_FEED_NONE")))
    assert "$WEDSYNC_FEED_NONE" in word.problem
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://$WEDSYNC_FEED_KEY/a.ics",
        "https://$WEDSYNC_FEED_KEY.evil.example/a.ics",
        "https://evil.example:$WEDSYNC_FEED_KEY/a.ics",
        "$WEDSYNC_FEED_KEY://evil.example/a.ics",
        "$WEDSYNC_FEED_KEY",
        "webcal:$WEDSYNC_FEED_KEY",
    ],
)
def test_a_secret_never_becomes_a_scheme_or_a_host(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WEDSYNC_FEED_KEY", SECRET)
    assert "not in its scheme or host" in sync(make_feed(url)).problem


def test_a_secret_that_would_change_the_host_is_not_sent(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_FEED_KEY", "evil.example/x")
    feed = make_feed(server.url().replace("://", "://me:$WEDSYNC_FEED_KEY@"))
    assert "signs that do not fit" in sync(feed).problem
    assert server.asked == []


def test_a_secret_that_is_bound_to_a_host_goes_nowhere_else(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_FEED_KEY", SECRET)
    monkeypatch.setenv("WEDSYNC_FEED_KEY_HOST", "calendar.example")
    publish(server, *several(2))
    feed = make_feed(server.url("/weddings.ics?key=$WEDSYNC_FEED_KEY"))
    assert "WEDSYNC_FEED_KEY_HOST keeps for another host" in sync(feed).problem
    assert server.asked == []

    monkeypatch.setenv("WEDSYNC_FEED_KEY_HOST", "127.0.0.1")
    assert sync(feed).outcome == "written"


def test_other_variables_stay_unread(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_SECRET_KEY", SECRET)
    sync(make_feed(server.url("/$WEDSYNC_SECRET_KEY")))
    assert server.asked[0].path == "/$WEDSYNC_SECRET_KEY"


# Files


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "calendars"
    folder.mkdir()
    settings.WEDSYNC_FEED_FOLDERS = [str(folder)]
    return folder


def test_a_file_in_a_listed_folder_is_read_again_when_it_changes(folder: Path) -> None:
    file = folder / "our weddings.ics"
    file.write_text(calendar(*several(2)))
    feed = make_feed(f"file://{folder}/our%20weddings.ics")
    assert sync(feed).saved == 2
    assert sync(feed, NOW + HOUR).outcome == "fresh"
    file.write_text(calendar(*several(3)))
    assert sync(feed, NOW + HOUR).saved == 1


def test_a_file_elsewhere_is_refused_however_it_is_named(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.ics"
    outside.write_text(calendar(*several(2)))
    (folder / "link.ics").symlink_to(outside)
    os.mkfifo(folder / "pipe.ics")
    for number, (path, words) in enumerate(
        [
            (outside, "none of the folders"),
            (folder / ".." / "outside.ics", "none of the folders"),
            (folder / "%2e%2e" / "outside.ics", "none of the folders"),
            (folder / "link.ics", "none of the folders"),
            (folder / "pipe.ics", "names no file"),
            (folder, "names no file"),
            (folder / "missing.ics", "not there"),
            (folder / "a%00b", "not there"),
        ]
    ):
        word = sync(make_feed(f"file://{path}", name=str(number)))
        assert words in word.problem
    assert "names no host" in sync(make_feed(f"file://host{folder}/x", name="host")).problem
    assert not Wedding.objects.exists()


def test_a_file_that_is_too_large_is_not_read_whole(folder: Path) -> None:
    with (folder / "big.ics").open("wb") as file:
        file.truncate(fetching.LIMITS.body_bytes + 1)
    assert "larger than" in sync(make_feed(f"file://{folder}/big.ics")).problem


# While a test runs


@pytest.mark.django_db(transaction=True)
@pytest.mark.bulk
def test_a_renewal_does_not_wait_for_a_whole_import(server: CalendarServer, feed: Feed) -> None:
    """Three seconds without an answer would stop a test; on a quiet machine it waits 0.5 s."""
    publish(server)
    sync(feed)  # a feed that was never read permits nothing
    permit = grant()
    publish(
        server, *(entry(number, NOW + DAY + number * 20 * MINUTE) for number in range(IMPORTED))
    )
    done, waits = Event(), []

    def renew() -> None:
        while not done.wait(0.02):
            begun = time.monotonic()
            assert services.renew(permit_id=permit.id, doing="1/s", now=NOW + MINUTE).safe
            waits.append(time.monotonic() - begun)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(renew)
        begun = time.monotonic()
        try:
            word = sync(feed, NOW + MINUTE)
        finally:
            done.set()
        renewing.result()
    seconds = time.monotonic() - begun
    print(f"{word.saved} imported in {seconds:.1f} s; longest wait {max(waits):.2f} s")

    assert word.saved == IMPORTED
    assert max(waits) < seconds / 3, "on a machine that is busy with other things, too"
