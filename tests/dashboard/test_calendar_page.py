"""When may we test? The heat map, the next windows, what blocks now, and how fresh it all is."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.models import Feed, Wedding
from calendar_guard.rules import Window
from dashboard import outlook
from tests.conftest import MoveClock
from tests.dashboard.conftest import ELSEWHERE, SATURDAY, TUESDAY
from tests.dashboard.test_pages import text_of

LONDON = "Europe/London"
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def kinds(*free: Window, now: datetime = TUESDAY, zone: str = LONDON) -> dict[date, list[str]]:
    rows = outlook.lay_out(free=free, now=now, zone=zone)
    return {row.day: [cell.kind for cell in row.cells] for row in rows}


def test_four_weeks_of_hours_by_the_zones_own_clock() -> None:
    rows = outlook.lay_out(free=[], now=TUESDAY, zone="Asia/Kolkata")

    assert len(rows) == 28
    assert {len(row.cells) for row in rows} == {24}
    assert [row.day for row in rows if row.is_today] == [date(2026, 6, 9)]
    assert [cell.is_now for cell in rows[0].cells].index(True) == 14  # 10:00 London is 14:30 there


def test_an_hour_is_safe_or_partly_or_blocked_or_over() -> None:
    rows = outlook.lay_out(
        free=[Window(at("2026-06-09 09:00"), at("2026-06-09 12:44"))], now=TUESDAY, zone=LONDON
    )
    cells = rows[0].cells

    assert cells[9].words == "09:00–10:00 is over"
    assert (cells[10].kind, cells[10].is_now) == ("safe", True)
    assert cells[12].words == "12:00–13:00 safe"
    assert cells[13].words == "13:00–14:00 partly safe: 13:00–13:44"
    assert cells[14].words == "14:00–15:00 blocked"


@pytest.mark.parametrize(
    ("now", "hour", "kind"),
    [
        (at("2026-03-29 00:00"), 1, "none"),  # the clock goes from 01:00 to 02:00
        (at("2026-10-24 23:00"), 1, "partly"),  # 01:00 to 02:00 lasts two hours
    ],
)
def test_on_dst_nights_an_hour_lasts_two_or_none(now: datetime, hour: int, kind: str) -> None:
    today = kinds(Window(now, now + 2 * HOUR), now=now)[now.astimezone(ZoneInfo(LONDON)).date()]

    assert today[0] == "safe"
    assert today[hour] == kind


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet_tuesday")
class TestPage:
    def test_the_heat_map_says_what_the_guard_says(self, client: Client) -> None:
        Wedding.objects.create(
            title="Ada & Grace",
            zone=LONDON,
            starts_at=TUESDAY + timedelta(days=2),
            ends_at=TUESDAY + timedelta(days=2, hours=7, minutes=20),
        )
        rows = client.get("/calendar/").context["rows"]
        span = outlook.span_of(clock.now(), LONDON)
        shares = calendar_guard.heat_map(start=span.start, end=span.end, now=clock.now())

        said = [cell.kind for row in rows for cell in row.cells]
        for kind, share in zip(said, shares, strict=True):
            expected = "blocked" if share == 0 else "safe" if share == 1 else "partly"
            assert kind.removesuffix(" late") in {expected, "past"}
        assert said[2 * 24 :][7:19] == ["partly", *["blocked"] * 10, "partly late"]

    def test_the_page_names_its_zone_and_no_couple(self, client: Client) -> None:
        Wedding.objects.create(
            title="Ada & Grace", zone=LONDON, starts_at=TUESDAY, ends_at=TUESDAY + HOUR
        )
        text = text_of(client, "/calendar/")

        assert "days and hours of Europe/London" in text
        assert "What blocks now Protected for wedding" in text
        assert "Ada" not in text
        assert "Blocked until Tue 11:15 UTC: 1 active wedding in progress" in text

    def test_the_next_windows_fit_the_length_that_was_asked_for(
        self, engineers_client: Client
    ) -> None:
        Wedding.objects.create(
            title="A",
            zone=LONDON,
            starts_at=TUESDAY + 5 * HOUR,
            ends_at=TUESDAY + 7 * HOUR,
        )
        for duration, first in (("PT2H", "Now to Tue 09 Jun, 11:44 UTC"), ("PT4H", "Tue 09 Jun,")):
            text = text_of(engineers_client, f"/calendar/?duration={duration}")
            assert f"Next safe windows, your time {first}" in text
        page = engineers_client.get("/calendar/?duration=PT4H").text
        assert 'href="/runs/new/?duration=PT4H">New test' in page
        assert 'href="?duration=PT4H" aria-current="true"' in page

    def test_a_length_that_is_not_offered_is_the_first_one(self, client: Client) -> None:
        assert client.get("/calendar/?duration=PT9Z").context["asked"] == "PT30M"

    def test_a_new_test_takes_the_length_along(self, engineers_client: Client) -> None:
        assert (
            'value="120" data-asked="120"' in engineers_client.get("/runs/new/?duration=PT2H").text
        )
        assert 'value="2" required' in engineers_client.get("/runs/new/").text

    def test_on_a_saturday_the_day_stands_in_the_way(
        self, client: Client, move_clock: MoveClock
    ) -> None:
        move_clock(SATURDAY)
        text = text_of(client, "/calendar/")

        assert "What blocks now Protected as Saturday in London" in text
        assert "Next safe windows, your time Sat 13 Jun, 23:15 UTC to" in text
        assert (
            "proposes the morning of Mon 15 Jun, 07:00 UTC; the earlier ones are safe too" in text
        )

    def test_windows_are_told_in_whole_minutes(self, client: Client, move_clock: MoveClock) -> None:
        move_clock(TUESDAY + timedelta(seconds=17))
        text = text_of(client, "/calendar/")

        assert "Now to Fri 12 Jun" in text
        assert not re.search(r"Now to [^.]*?\d\u00a0s", text)

    def test_why_there_is_a_hold_is_shown_to_those_who_may_see_holds(
        self, client: Client, engineers_client: Client, engineer: User
    ) -> None:
        calendar_guard.place_hold(
            reason="Ada rehearses",
            starts_at=clock.now(),
            ends_at=clock.now() + HOUR,
            by="mara",
            now=clock.now(),
        )
        assert "Ada" not in client.get("/calendar/").text
        assert "Ada" not in engineers_client.get("/calendar/").text

        engineer.user_permissions.add(Permission.objects.get(codename="view_hold"))
        text = text_of(engineers_client, "/calendar/")
        assert re.search(r"Holds Ada rehearses Hold \d+, Tue 09 Jun, \d\d:\d\d UTC to", text)
        assert "by mara" in text

    def test_a_word_for_a_calendar_without_feeds_is_not_shown(self, client: Client) -> None:
        now = clock.now()
        calendar_guard.attest(until=now + HOUR, why="I asked", by="mara", now=now)

        assert "A coordinator confirmed" not in text_of(client, "/calendar/")

    def test_nothing_in_the_way_is_said_too(self, client: Client) -> None:
        text = text_of(client, "/calendar/")

        assert "Nothing stands in the way of this test." in text
        assert "No feed is connected: it is what the coordinators enter." in text

    def test_a_stale_feed_is_named_and_the_strip_goes_on_to_its_end(self, client: Client) -> None:
        now = clock.now()
        Feed.objects.create(name="Venue diary", url="https://a.test/", created_at=now, due_at=now)
        text = text_of(client, "/calendar/")

        assert "It is known only until Tue 09 Jun, 0" in text
        assert "Venue diary never read never read it was never read" in text
        assert "Nobody knows before the calendar is complete." in text
        assert "Blocked: the wedding calendar is not known to be complete For a test" in text
        assert "Ask a coordinator to mend the feed" in text
        home = client.get("/").text
        assert 'data-until=""' in home
        assert re.search(r'"rule": "stale_calendar"[^}]*"until": null', home)

    def test_readers_only_and_in_every_menu(self, client: Client, viewer: User) -> None:
        assert client.get("/calendar/", **ELSEWHERE).status_code == 302  # type: ignore[arg-type]
        client.force_login(viewer)
        assert '<a href="/calendar/">Calendar</a>' in client.get("/").text
        assert "Engineers start tests." in text_of(client, "/calendar/")
