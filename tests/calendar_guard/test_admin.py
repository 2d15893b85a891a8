"""Coordinators enter what the venue's clock shows."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from time_machine import TimeMachineFixture

from calendar_guard.forms import WeddingForm
from calendar_guard.models import Permit, Wedding
from tests.calendar_guard.examples import BERLIN, HOUR, LONDON, MINUTE, at

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.calendar_guard.urls"),
    pytest.mark.usefixtures("plain_static_files"),
]

ADD, LIST = "/admin/calendar_guard/wedding/add/", "/admin/calendar_guard/wedding/"
NOW = at("2026-06-10 10:00", LONDON)


@pytest.fixture(autouse=True)
def clock(time_machine: TimeMachineFixture) -> TimeMachineFixture:
    time_machine.move_to(NOW, tick=False)
    return time_machine


def typed(starts: str, ends: str, zone: str = BERLIN, **changes: str) -> dict[str, str]:
    (start_day, start_time), (end_day, end_time) = starts.split(), ends.split()
    return {
        "title": "Ada & Grace",
        "zone": zone,
        "setup": "02:00:00",
        "teardown": "01:00:00",
        "status": "confirmed",
        "starts_local_0": start_day,
        "starts_local_1": start_time,
        "ends_local_0": end_day,
        "ends_local_1": end_time,
    } | changes


def page_of(wedding: Wedding) -> str:
    return f"{LIST}{wedding.pk}/change/"


def test_local_times_of_the_venue_are_stored_as_instants(admin_client: Client) -> None:
    response = admin_client.post(ADD, typed("2026-06-10 14:00", "2026-06-11 01:00"))

    assert response.status_code == 302
    wedding = Wedding.objects.get()
    assert (wedding.starts_at, wedding.ends_at) == (at("2026-06-10 12:00"), at("2026-06-10 23:00"))
    page = admin_client.get(page_of(wedding)).content.decode()
    assert 'value="14:00"' in page
    assert 'value="2026-06-11"' in page


def test_no_shortcut_offers_a_time_that_is_not_the_venues(admin_client: Client) -> None:
    page = admin_client.get(ADD).content.decode()

    assert '<input type="date" name="starts_local_0"' in page
    assert '<input type="time" name="ends_local_1"' in page
    assert not [word for word in ("vDateField", "vTimeField", "DateTimeShortcuts") if word in page]


def test_whoever_saves_reads_title_and_times_again_but_the_log_keeps_no_title(
    admin_client: Client,
) -> None:
    form = typed("2026-06-12 14:00", "2026-06-12 23:00")
    page = admin_client.post(ADD, form, follow=True).content.decode()

    assert (
        "“Ada &amp; Grace” is from Fri 12 Jun 2026, 14:00 Berlin (12:00 UTC)"
        " until Fri 12 Jun 2026, 23:00 Berlin (21:00 UTC)." in page
    )
    assert "in the past" not in page
    assert LogEntry.objects.get().object_repr == str(Wedding.objects.get())


def test_a_wedding_in_the_past_is_saved_with_a_warning(admin_client: Client) -> None:
    form = typed("2025-06-12 14:00", "2025-06-12 23:00")
    page = admin_client.post(ADD, form, follow=True).content.decode()

    assert "That lies wholly in the past, so it protects nothing; is the year right?" in page
    assert Wedding.objects.count() == 1

    page = admin_client.post(
        page_of(Wedding.objects.get()), form | {"status": "completed"}, follow=True
    ).content.decode()
    assert "wholly in the past" not in page


def test_a_wedding_of_seven_days_is_a_long_one_and_not_a_mistake() -> None:
    form = WeddingForm(typed("2026-06-10 14:00", "2026-06-17 14:00"))

    assert form.is_valid(), form.errors


def test_the_admin_says_whose_it_is(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()

    assert "WedSync load testing" in page
    assert "Wedding calendar" in page
    assert "Django administration" not in page


@pytest.mark.parametrize(
    ("starts", "ends", "stored"),
    [
        ("2026-10-25 01:30", "2026-10-25 01:45", ("2026-10-25 00:30", "2026-10-25 01:45")),
        ("2026-03-29 01:30", "2026-03-29 01:45", ("2026-03-29 00:30", "2026-03-29 01:45")),
    ],
)
def test_on_dst_nights_a_wedding_is_read_as_long_as_it_may_be(
    starts: str, ends: str, stored: tuple[str, str]
) -> None:
    form = WeddingForm(typed(starts, ends, LONDON))

    assert form.is_valid(), form.errors
    assert (form.instance.starts_at, form.instance.ends_at) == tuple(map(at, stored))


def test_a_time_nobody_touched_keeps_its_instant() -> None:
    late = at("2026-10-25 01:30", LONDON, fold=1)
    wedding = Wedding.objects.create(title="A", zone=LONDON, starts_at=late, ends_at=late + HOUR)
    form = WeddingForm(
        typed("2026-10-25 01:30:00", "2026-10-25 02:30:00", LONDON), instance=wedding
    )

    assert form.is_valid(), form.errors
    assert form.instance.starts_at == late


def test_another_zone_reads_the_same_clock_elsewhere() -> None:
    wedding = Wedding.objects.create(title="A", zone=LONDON, starts_at=NOW, ends_at=NOW + HOUR)
    form = WeddingForm(
        typed("2026-06-10 10:00:00", "2026-06-10 11:00:00", BERLIN), instance=wedding
    )

    assert form.is_valid(), form.errors
    assert form.instance.starts_at == NOW - HOUR


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"ends_local_1": "13:00"}, "ends_local", "would end before it starts"),
        ({"zone": "Europe/Berln"}, "zone", "did you mean Europe/Berlin?"),
        ({"zone": "../../etc"}, "zone", "not a known time zone"),
        ({"setup": "-01:00:00"}, "setup", "cannot be negative"),
        ({"teardown": "8 00:00:00"}, "teardown", "longer than 7 days"),
        ({"ends_local_0": "2027-07-14"}, "ends_local", "lasts 400 days"),
        ({"ends_local_0": "2026-06-17", "ends_local_1": "14:01"}, "ends_local", "lasts 8 days"),
        ({"ends_local_0": "9999-12-31"}, "ends_local", "Write a year between"),
        ({"starts_local_1": ""}, "starts_local", "required"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    changes: dict[str, str], field: str, sentence: str
) -> None:
    form = WeddingForm(typed("2026-06-10 14:00", "2026-06-10 23:00", **changes))

    assert not form.is_valid()
    assert sentence in str(form.errors[field])


def save(**changes: Any) -> Wedding:
    facts = {"title": "Ada & Grace", "zone": BERLIN, "starts_at": NOW, "ends_at": NOW + 8 * HOUR}
    return Wedding.objects.create(**(facts | changes))


def test_completing_a_wedding_stamps_the_moment_once(
    admin_client: Client, clock: TimeMachineFixture
) -> None:
    wedding = save(status="live")
    form = typed("2026-06-10 11:00", "2026-06-10 19:00", status="completed")
    for moment in (NOW + 2 * HOUR, NOW + 3 * HOUR):
        clock.move_to(moment, tick=False)
        assert admin_client.post(page_of(wedding), form).status_code == 302

    wedding.refresh_from_db()
    assert wedding.completed_at == NOW + 2 * HOUR

    admin_client.post(page_of(wedding), form | {"status": "live"})
    wedding.refresh_from_db()
    assert wedding.completed_at is None


def test_completing_from_the_list_leaves_cancelled_ones_alone(admin_client: Client) -> None:
    live, off = save(status="live"), save(status="cancelled")
    admin_client.post(LIST, {"action": "complete", "_selected_action": [live.pk, off.pk]})

    live.refresh_from_db()
    off.refresh_from_db()
    assert (live.status, live.completed_at) == ("completed", NOW)
    assert (off.status, off.completed_at) == ("cancelled", None)


def test_the_list_shows_local_times_and_filters(admin_client: Client) -> None:
    save()
    save(title="Long ago", starts_at=at("2020-06-10 10:00"), ends_at=at("2020-06-10 11:00"))
    everything, upcoming, over = (
        admin_client.get(LIST, query).content.decode()
        for query in ({}, {"when": "upcoming"}, {"when": "over"})
    )

    assert "Wed 10 Jun 2026, 11:00 Berlin (09:00 UTC)" in everything
    assert "Ada &amp; Grace" in upcoming
    assert "Long ago" not in upcoming
    assert "Long ago" in over
    assert "Ada &amp; Grace" not in over


def test_permits_can_only_be_read(admin_client: Client) -> None:
    permit = Permit.objects.create(
        run_id="12",
        starts_at=NOW,
        ends_at=NOW + 30 * MINUTE,
        verdict={},
        granted_at=NOW,
        renewed_at=NOW,
    )
    page = f"/admin/calendar_guard/permit/{permit.pk}/"

    assert admin_client.get("/admin/calendar_guard/permit/").status_code == 200
    assert admin_client.get(f"{page}change/").status_code == 200
    assert admin_client.post(f"{page}change/", {}).status_code == 403
    assert admin_client.post(f"{page}delete/", {}).status_code == 403
    assert admin_client.get("/admin/calendar_guard/permit/add/").status_code == 403
