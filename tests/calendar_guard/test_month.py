"""A month at a glance: who marries when, and which hours are safe."""

import re
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from calendar_guard import declaring, month
from calendar_guard.models import Feed, Wedding
from calendar_guard.words import Window
from tests.calendar_guard import running
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, LONDON, MINUTE, at

NOW = at("2026-06-10 10:00", LONDON)
JUNE = date(2026, 6, 1)
PAGE = "/admin/calendar_guard/wedding/calendar/"


def occasion(starts: str, ends: str, zone: str = LONDON, **changes: Any) -> month.Occasion:
    facts: dict[str, Any] = {
        "kind": "wedding",
        "id": 1,
        "title": "Ada & Grace",
        "status": "confirmed",
    }
    return month.Occasion(
        **(facts | {"zone": zone, "start": at(starts, zone), "end": at(ends, zone)} | changes)
    )


def june(*occasions: month.Occasion, zone: str = LONDON, **changes: Any) -> month.Month:
    words: dict[str, Any] = {
        "first": JUNE,
        "free": [month.span_of(JUNE, zone)],
        "protected_weekdays": [5],
        "now": NOW,
    }
    return month.lay_out(zone=zone, occasions=occasions, **(words | changes))


def days(shown: month.Month) -> dict[str, month.Day]:
    return {f"{day.date:%d %b}": day for week in shown.weeks for day in week}


def lines(shown: month.Month) -> dict[str, list[str]]:
    return {
        name: [line.when for line in day.lines] for name, day in days(shown).items() if day.lines
    }


def test_a_month_is_shown_in_whole_weeks_from_monday_to_sunday() -> None:
    shown = june(first=date(2026, 7, 1))

    assert [week[0].date for week in shown.weeks][0] == date(2026, 6, 29)
    assert shown.weeks[-1][-1].date == date(2026, 8, 2)
    assert {len(week) for week in shown.weeks} == {7}
    assert (shown.previous, shown.following) == (date(2026, 6, 1), date(2026, 8, 1))


def test_the_protected_weekday_and_today_are_marked() -> None:
    found = days(june())

    assert [name for name, day in found.items() if day.is_today] == ["10 Jun"]
    protected = [name for name, day in found.items() if day.is_protected]
    assert protected == ["06 Jun", "13 Jun", "20 Jun", "27 Jun", "04 Jul"]
    assert [found["09 Jun"].is_over, found["10 Jun"].is_over] == [True, False]


def test_a_wedding_across_midnight_continues_on_the_next_day() -> None:
    shown = june(occasion("2026-06-12 14:00", "2026-06-13 02:00"))

    assert lines(shown) == {"12 Jun": ["14:00"], "13 Jun": ["until 02:00"]}
    assert days(shown)["13 Jun"].lines[0].continues


def test_a_wedding_of_three_days_fills_the_one_between() -> None:
    shown = june(occasion("2026-06-15 14:00", "2026-06-17 11:00"))

    assert lines(shown) == {"15 Jun": ["14:00"], "16 Jun": ["all day"], "17 Jun": ["until 11:00"]}


def test_a_wedding_that_ends_at_midnight_is_over_that_day() -> None:
    assert lines(june(occasion("2026-06-12 14:00", "2026-06-13 00:00"))) == {"12 Jun": ["14:00"]}


def test_another_venues_clock_is_told_beside_the_pages() -> None:
    tokyo = occasion("2026-06-12 03:00", "2026-06-12 09:00", "Asia/Tokyo")
    berlin = occasion("2026-06-16 14:00", "2026-06-16 20:00", BERLIN)

    assert lines(june(tokyo, berlin)) == {
        "11 Jun": ["19:00 (Fri 03:00 Tokyo)"],
        "12 Jun": ["until 01:00 (09:00 Tokyo)"],
        "16 Jun": ["13:00 (14:00 Berlin)"],
    }
    assert lines(june(berlin, zone=BERLIN)) == {"16 Jun": ["14:00"]}


def test_a_wedding_that_began_before_the_first_week_still_shows_in_it() -> None:
    assert lines(june(occasion("2026-05-30 14:00", "2026-06-02 11:00"))) == {
        "01 Jun": ["all day"],
        "02 Jun": ["until 11:00"],
    }


def test_a_crowded_day_shows_four_and_counts_the_others() -> None:
    crowd = [occasion("2026-06-12 14:00", "2026-06-12 20:00", id=n) for n in range(16)]
    day = days(june(*crowd))["12 Jun"]

    assert (len(day.lines), day.more) == (4, 12)


def test_safe_hours_are_told_in_words_and_in_shares_of_the_day() -> None:
    free = [
        Window(at("2026-06-11 06:00", LONDON), at("2026-06-11 13:45", LONDON)),
        Window(at("2026-06-11 18:00", LONDON), at("2026-06-12 06:00", LONDON)),
    ]
    found = days(june(free=free))

    assert found["11 Jun"].words == "safe 06:00–13:45, 18:00–24:00"
    assert [(s.left, s.width) for s in found["11 Jun"].safe] == [(25, 32.29), (75, 25)]
    assert found["12 Jun"].words == "safe 00:00–06:00"
    assert found["13 Jun"].words == "no safe hours"
    assert found["09 Jun"].words == ""
    assert days(june())["11 Jun"].words == "safe all day"


@pytest.mark.parametrize(
    ("first", "name", "hours", "words"),
    [
        (date(2026, 10, 1), "25 Oct", 25, "safe 01:30 BST–01:30 GMT"),
        (date(2027, 3, 1), "28 Mar", 23, "safe 00:30 GMT–02:30 BST"),
    ],
)
def test_on_dst_nights_a_day_has_its_own_length_and_says_which_hour_it_means(
    first: date, name: str, hours: int, words: str
) -> None:
    free = [
        Window(at("2026-10-25 00:30"), at("2026-10-25 01:30")),
        Window(at("2027-03-28 00:30"), at("2027-03-28 01:30")),
    ]
    day = days(june(first=first, free=free))[name]

    assert (day.words, day.span.end - day.span.start) == (words, hours * HOUR)
    assert day.safe[0].width == pytest.approx(100 / hours, abs=0.01)


@pytest.mark.parametrize("text", ["2026-13", "2026", "june", "2026-6", "0026-06", "9999-01", "–"])
def test_what_is_no_month_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"no month|Ask for a year"):
        month.read_month(text)


def test_the_first_and_the_last_month_lead_nowhere_further() -> None:
    assert june(first=date(2001, 1, 1), now=NOW).previous is None
    assert june(first=date(2198, 12, 1), now=NOW).following is None


save = partial(running.add, starts_at=NOW + 2 * DAY, hours=8, zone=BERLIN)


def text_of(client: Client, query: dict[str, str] | None = None) -> str:
    answer = client.get(PAGE, query)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", "", answer.text).split())


@pytest.mark.usefixtures("clock", "db")
class TestPage:
    def test_the_page_shows_weddings_holds_and_safe_hours(self, admin_client: Client) -> None:
        wedding = save()
        declaring.place_hold(
            reason="Provider maintenance",
            starts_at=NOW + DAY,
            ends_at=NOW + DAY + HOUR,
            by="ada",
            now=NOW,
        )
        page, text = admin_client.get(PAGE).text, text_of(admin_client)

        assert "June 2026" in text
        assert "10:00 (11:00 Berlin) confirmed Ada &amp; Grace" in text
        assert "10:00 hold Provider maintenance" in text
        assert "safe 00:00–07:44, 19:15–22:44" in text  # then Saturday begins in Berlin
        assert reverse("admin:calendar_guard_wedding_change", args=[wedding.pk]) in page

    def test_why_there_is_a_hold_is_for_those_who_may_see_holds(self, client: Client) -> None:
        declaring.place_hold(
            reason="Ada rehearses", starts_at=NOW, ends_at=NOW + HOUR, by="mara", now=NOW
        )
        looker = User.objects.create_user("lee", is_staff=True)
        looker.user_permissions.set(Permission.objects.filter(codename="view_wedding"))
        client.force_login(looker)

        assert "10:00 hold Hold " in text_of(client)
        assert "Ada" not in text_of(client)

    def test_a_cancelled_wedding_is_shown_and_protects_nothing(self, admin_client: Client) -> None:
        save(status="cancelled", zone=LONDON)

        assert "10:00 cancelled Ada &amp; Grace" in text_of(admin_client)
        assert "Friday 12 June 2026 + safe 00:00–23:44" in text_of(admin_client)

    def test_a_wedding_that_overruns_goes_on_until_today(self, admin_client: Client) -> None:
        save(status="live", starts_at=NOW - 9 * DAY, ends_at=NOW - 8 * DAY, zone=LONDON)
        text = text_of(admin_client)

        assert text.count("all day live Ada &amp; Grace") == 8
        assert "continues, until 10:00 live Ada &amp; Grace" in text

    def test_another_zone_and_month_are_chosen_in_the_address(self, admin_client: Client) -> None:
        save(starts_at=at("2026-08-01 12:00"), ends_at=at("2026-08-01 20:00"))
        text = text_of(admin_client, {"month": "2026-08", "zone": "Asia/Tokyo"})

        assert "August 2026" in text
        assert "21:00 (14:00 Berlin) confirmed" in text

    def test_what_no_one_can_read_is_said_and_the_page_still_comes(
        self, admin_client: Client
    ) -> None:
        text = text_of(admin_client, {"month": "2026-99", "zone": "Mars/Olympus"})

        assert "“2026-99” is no month; write 2026-06. This is the current month." in text
        assert "is not a known time zone" in text
        assert "June 2026" in text

    def test_a_calendar_that_is_stale_says_so(self, admin_client: Client) -> None:
        Feed.objects.create(name="venue", url="https://a.test/", created_at=NOW, due_at=NOW)

        text = text_of(admin_client)
        assert "Blocked: The wedding calendar is known only until Wed 10 Jun 2026, 10:00" in text
        assert "it was never read" in text

    def test_a_day_can_be_taken_to_add_a_wedding(self, admin_client: Client) -> None:
        link = "/admin/calendar_guard/wedding/add/?starts_local=2026-06-12&ends_local=2026-06-12"

        assert link.replace("&", "&amp;") in admin_client.get(PAGE).text
        form = admin_client.get(link).text
        assert re.search(r'name="starts_local_0" value="2026-06-12"', form)
        assert re.search(r'name="ends_local_0" value="2026-06-12"', form)

    def test_who_may_see_no_weddings_sees_no_calendar(self, client: Client) -> None:
        client.force_login(User.objects.create_user("eve", is_staff=True))
        assert client.get(PAGE).status_code == 403

        client.force_login(User.objects.create_user("mallory"))
        assert client.get(PAGE)["Location"].startswith("/admin/login/")

    def test_who_may_only_look_is_not_offered_to_add(self, client: Client) -> None:
        vera = User.objects.create_user("vera", is_staff=True)
        vera.user_permissions.set(Permission.objects.filter(codename="view_wedding"))
        client.force_login(vera)

        assert "Add a wedding" not in client.get(PAGE).text

    def test_others_of_a_crowded_day_are_one_link_away(self, admin_client: Client) -> None:
        for n in range(6):
            save(title=f"Couple {n}", zone=LONDON)
        save(title="Another day", starts_at=NOW + 5 * DAY, ends_at=NOW + 5 * DAY + HOUR)
        found = re.search(r'href="([^"]+)">and 2 more', admin_client.get(PAGE).text)

        assert found
        there = admin_client.get(found[1].replace("&amp;", "&"), follow=True).text
        assert "Couple 5" in there
        assert "Another day" not in there

    def test_five_thousand_weddings_need_no_more_queries_than_one(
        self, admin_client: Client, django_assert_max_num_queries: Any
    ) -> None:
        crowd = [
            Wedding(
                title=f"Couple {n}",
                zone=LONDON,
                starts_at=NOW + n * 5 * MINUTE,
                ends_at=NOW + n * 5 * MINUTE + HOUR,
            )
            for n in range(5_000)
        ]
        for wedding in crowd:
            wedding.settle()
        Wedding.objects.bulk_create(crowd)

        with django_assert_max_num_queries(16):
            text = text_of(admin_client)
        assert "and 295 more" in text
