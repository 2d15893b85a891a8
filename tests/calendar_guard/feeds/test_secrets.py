"""What a feed is fetched with, and where it may go."""

from pathlib import Path

import pytest

from tests.calendar_guard.examples import HOUR
from tests.calendar_guard.feeds.published import NOW, make_feed, publish, several, sync
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db
SECRET = "s3cret-key"


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
