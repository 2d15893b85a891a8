"""Coordinators enter what the venue's clock shows."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from time_machine import TimeMachineFixture

from audit import services as audit
from calendar_guard import services, writing
from calendar_guard.forms import WeddingForm
from calendar_guard.models import Change, Coordinator, Permit, Revision, Wedding
from tests.calendar_guard.admin_words import ADD, LIST, NOW, page_of, save, typed
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, LONDON, MINUTE, at

TOO_EARLY = "Its set-up has not begun, so it cannot be live; call it confirmed until then."
GOES_ON = "It is live, so neither it nor its set-up moves ahead; complete it when over."

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


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
        # A week by the clock on the wall lasts an hour more here, and one less there.
        ("2026-10-19 14:00", "2026-10-26 14:00", ("2026-10-19 13:00", "2026-10-26 14:00")),
        ("2026-03-23 14:00", "2026-03-30 14:00", ("2026-03-23 14:00", "2026-03-30 13:00")),
    ],
)
def test_on_dst_nights_a_wedding_is_read_as_long_as_it_may_be(
    starts: str, ends: str, stored: tuple[str, str]
) -> None:
    form = WeddingForm(typed(starts, ends, LONDON))

    assert form.is_valid(), form.errors
    assert (form.instance.starts_at, form.instance.ends_at) == tuple(map(at, stored))


def test_a_time_that_the_clocks_leave_out_is_refused_with_those_beside_it() -> None:
    form = WeddingForm(typed("2026-03-29 01:30", "2026-03-29 03:00", LONDON))

    assert form.errors["starts_local"] == [
        "01:30 does not exist in London on Sun 29 Mar 2026: the clocks go forward over it."
        " Write Sun 00:30 or Sun 02:30."
    ]
    assert WeddingForm(typed("2026-03-29 00:59", "2026-03-29 02:00", LONDON)).is_valid()


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
        ({"status": "live"}, "status", "Its set-up has not begun, so it cannot be live"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    changes: dict[str, str], field: str, sentence: str
) -> None:
    form = WeddingForm(typed("2026-06-10 14:00", "2026-06-10 23:00", **changes))

    assert not form.is_valid()
    assert sentence in str(form.errors[field])


def test_a_wedding_may_be_typed_as_live_from_its_set_up_on() -> None:
    form = typed("2026-06-10 14:00", "2026-06-10 23:00", status="live", setup="03:00:00")
    assert WeddingForm(form).is_valid()
    wedding = Wedding.objects.create(title="A", zone=LONDON, starts_at=NOW, ends_at=NOW + HOUR)
    ahead = typed("2026-08-15 14:00", "2026-08-15 23:00", status="live")
    assert WeddingForm(ahead, instance=wedding).errors == {"status": [TOO_EARLY]}
    Wedding.objects.update(status="live")
    wedding.refresh_from_db()
    assert WeddingForm(ahead, instance=wedding).errors == {"status": [GOES_ON]}


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


def test_many_weddings_are_completed_in_one_write(admin_client: Client) -> None:
    ids = [save(status="live").pk for _ in range(3)]
    admin_client.post(LIST, {"action": "complete", "_selected_action": ids})

    assert set(Wedding.objects.values_list("status", flat=True)) == {"completed"}
    assert Revision.objects.get().number == 1


def test_more_weddings_than_one_write_holds_are_refused(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 2)
    ids = [save(status="live").pk for _ in range(3)]
    chosen = {"action": "complete", "_selected_action": ids}
    page = admin_client.post(LIST, chosen, follow=True).content.decode()

    assert "At most 2 at once, please; these are 3." in page
    assert set(Wedding.objects.values_list("status", flat=True)) == {"live"}


def test_a_form_shows_the_local_time_before_new_zone_data_is_followed(
    admin_client: Client,
) -> None:
    wedding = save()
    Wedding.objects.update(starts_at=NOW + HOUR, zone_data="2020a")
    page = admin_client.get(page_of(wedding)).content.decode()
    assert 'value="11:00"' in page
    assert 'value="12:00"' not in page


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


def titles(browser: Client, **query: str) -> set[str]:
    page = browser.get(LIST, query).content.decode()
    return {one.title for one in Wedding.objects.all() if f">{one.title}</a>" in page}


def test_today_and_this_weekend_are_found_at_the_home_clock(mara: Client) -> None:
    save(title="Today")
    save(title="Since yesterday", starts_at=NOW - 20 * HOUR, ends_at=NOW - 9 * HOUR)
    save(title="Overrunning", starts_at=NOW - 3 * DAY, ends_at=NOW - 2 * DAY, status="live")
    save(title="Saturday", starts_at=NOW + 3 * DAY, ends_at=NOW + 3 * DAY + HOUR)
    save(title="Sunday", starts_at=NOW + 4 * DAY, ends_at=NOW + 4 * DAY + HOUR)
    save(title="Monday", starts_at=NOW + 5 * DAY, ends_at=NOW + 5 * DAY + HOUR)
    save(title="Called off", status="cancelled")

    assert titles(mara, when="today") == {"Today", "Since yesterday", "Overrunning"}
    assert titles(mara, when="weekend") == {"Saturday", "Sunday", "Overrunning"}
    assert "Today in London" in mara.get(LIST).content.decode()


def test_on_a_sunday_this_weekend_is_the_one_that_is_on(
    mara: Client, clock: TimeMachineFixture
) -> None:
    save(title="Saturday", starts_at=NOW + 3 * DAY, ends_at=NOW + 3 * DAY + HOUR)
    save(title="Next", starts_at=NOW + 10 * DAY, ends_at=NOW + 10 * DAY + HOUR)
    clock.move_to(NOW + 4 * DAY, tick=False)

    assert titles(mara, when="weekend") == {"Saturday"}


def test_weddings_are_found_by_coordinator_venue_and_search(mara: Client) -> None:
    kim = Coordinator.objects.create(name="Kim")
    save(title="Hers", venue="Old Mill").coordinators.add(kim)
    save(title="Other", venue="Barn")
    page = mara.get(LIST).content.decode()

    assert f"?coordinators__id__exact={kim.pk}" in page
    assert "?venue=Old+Mill" in page
    assert titles(mara, coordinators__id__exact=str(kim.pk)) == {"Hers"}
    assert titles(mara, venue="Old Mill") == {"Hers"}
    assert titles(mara, q="kim") == titles(mara, q="mill") == {"Hers"}


def test_an_overrunning_wedding_stays_protected_until_it_is_completed(
    mara: Client, clock: TimeMachineFixture
) -> None:
    wedding = save(starts_at=NOW - 9 * HOUR, ends_at=NOW - HOUR)
    page = mara.get(page_of(wedding)).content.decode()
    assert "Confirmed, and protected until Wed 10 Jun 2026, 11:00 Berlin" not in page
    assert "Confirmed, and protected no more." in page
    said = mara.post(f"{LIST}{wedding.pk}/still-going/", follow=True).content.decode()
    assert "“Ada &amp; Grace”: protected until somebody completes it." in said
    assert "Still going</button>" not in said

    clock.move_to(NOW + 5 * HOUR, tick=False)
    assert not services.check(start=NOW + 5 * HOUR, duration=MINUTE, now=NOW + 5 * HOUR).safe
    said = mara.post(f"{LIST}{wedding.pk}/completed-now/", follow=True).content.decode()
    assert "completed, and protected until Wed 10 Jun 2026, 17:00 Berlin" in said
    later = NOW + 7 * HOUR
    assert services.check(start=later, duration=MINUTE, now=later).safe
    assert [change.by for change in Change.objects.filter(field="status")] == ["mara", "mara"]


def test_neither_button_works_on_a_wedding_that_lies_ahead(mara: Client) -> None:
    ahead = save(starts_at=NOW + 3 * HOUR, ends_at=NOW + 9 * HOUR)
    page = mara.get(page_of(ahead)).content.decode()
    assert "Confirmed, and protected from Wed 10 Jun 2026, 12:00 Berlin" in page
    for button, verb in (("Still going", "still-going"), ("Completed now", "completed-now")):
        assert f"{button}</button>" not in page
        said = mara.post(f"{LIST}{ahead.pk}/{verb}/", follow=True).content.decode()
        assert "stays as it is: it is confirmed and begins Wed 10 Jun 2026, 14:00 Berlin" in said
        assert mara.get(f"{LIST}{ahead.pk}/{verb}/").status_code == 405

    form = typed("2026-06-10 14:00", "2026-06-10 20:00", status="completed")
    refused = mara.post(page_of(ahead), form).content.decode()
    assert "It has not begun, so it cannot be completed" in refused


@pytest.mark.parametrize(
    ("changes", "warned"),
    [
        ({"title": "Zoe & Max", "venue": "OLD MILL"}, True),
        ({"title": "ada & grace", "venue": "Barn"}, True),
        ({"title": "Zoe & Max", "venue": "Barn"}, False),
        ({"title": "Zoe & Max"}, False),
    ],
)
def test_a_wedding_that_may_be_entered_twice_is_saved_with_a_warning(
    mara: Client, changes: dict[str, str], warned: bool
) -> None:
    starts = at("2026-06-12 12:00")
    save(venue="Old Mill", starts_at=starts, ends_at=starts + 8 * HOUR)
    save(title="Zoe & Max", venue="Barn", starts_at=starts + 7 * DAY, ends_at=starts + 8 * DAY)
    form = typed("2026-06-12 20:00", "2026-06-12 23:00", **changes)
    page = mara.post(ADD, form, follow=True).content.decode()

    assert Wedding.objects.count() == 3
    assert ("Is it entered twice? There is also" in page) is warned
    assert ("“Ada &amp; Grace” at Old Mill, Fri 12 Jun 2026" in page) is warned


def test_deleting_names_the_wedding_and_is_audited_without_its_title(mara: Client) -> None:
    some = [save(), save(title="Zoe & Max")]
    page = mara.get(f"{LIST}{some[0].pk}/delete/").content.decode()
    assert "Ada &amp; Grace, Wed 10 Jun 2026, 11:00 Berlin" in page
    ids = [str(one.pk) for one in some]
    mara.post(LIST, {"action": "delete_selected", "_selected_action": ids, "post": "yes"})

    assert not Wedding.objects.exists()
    entry = audit.entries(action="calendar")[0]
    assert (entry.actor, entry.data["deleted"]) == ("mara", [one.pk for one in some])
    assert "Ada" not in str(audit.entries())


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
