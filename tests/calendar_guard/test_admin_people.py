"""Coordinators beside their weddings, and the record of who changed what."""

import pytest
from django.test import Client
from time_machine import TimeMachineFixture

from calendar_guard import writing
from calendar_guard.models import Coordinator, Wedding
from calendar_guard.weddings import keeping
from tests.calendar_guard.admin_words import ADD, LIST, NOW, PEOPLE, page_of, people, save, typed
from tests.calendar_guard.examples import HOUR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TIMES = ("2026-06-12 14:00", "2026-06-12 23:00")


def history_of(browser: Client, wedding: Wedding) -> str:
    return browser.get(f"{LIST}{wedding.pk}/history/").content.decode()


def test_a_new_coordinator_is_entered_beside_the_wedding(mara: Client) -> None:
    row = {"name": "Lee", "email": "lee@a.example", "phone": "+44 20 7946 0000", "slack_id": "U1"}
    mara.post(ADD, typed(*TIMES) | people(row | {"language": "de"}))

    lee = Wedding.objects.get().coordinators.get()
    assert (lee.name, lee.email, lee.slack_id, lee.language) == ("Lee", "lee@a.example", "U1", "de")


def test_an_empty_row_is_nobody(mara: Client) -> None:
    mara.post(ADD, typed(*TIMES) | people({"name": ""}))

    assert Wedding.objects.count() == 1
    assert not Coordinator.objects.exists()


def test_a_known_address_names_its_person_and_keeps_what_was_not_typed(mara: Client) -> None:
    kim = Coordinator.objects.create(name="Kim", email="kim@a.example", phone="+44 1")
    mara.post(ADD, typed(*TIMES) | people({"name": "Kim Lee", "email": "KIM@a.example"}))

    kim.refresh_from_db()
    assert list(Wedding.objects.get().coordinators.all()) == [kim]
    assert (kim.name, kim.phone) == ("Kim Lee", "+44 1")


def test_a_row_without_a_name_is_refused_in_words(mara: Client) -> None:
    page = mara.post(ADD, typed(*TIMES) | people({"phone": "+44 1"})).content.decode()

    assert "Choose somebody, or write a name." in page
    assert not Wedding.objects.exists()


def test_one_person_cannot_be_added_twice(mara: Client) -> None:
    kim = Coordinator.objects.create(name="Kim", email="kim@a.example")
    rows = people({"coordinator": kim.pk}, {"name": "Kim", "email": "kim@a.example"})
    page = mara.post(ADD, typed(*TIMES) | rows).content.decode()

    assert "Please correct the" in page
    assert not Wedding.objects.exists()


def test_a_coordinator_who_is_changed_or_removed_stays_in_the_history(mara: Client) -> None:
    mara.post(ADD, typed(*TIMES) | people({"name": "Kim", "phone": "+44 1"}, {"name": "Lee"}))
    wedding = Wedding.objects.get()
    through = Wedding.coordinators.through.objects
    kim, lee = (through.get(coordinator__name=name).pk for name in ("Kim", "Lee"))
    rows = people(
        {"id": kim, "wedding": wedding.pk, "name": "Kim", "phone": "+44 2"},
        {"id": lee, "wedding": wedding.pk, "name": "Lee", "DELETE": "on"},
        known=2,
    )
    assert mara.post(page_of(wedding), typed(*TIMES) | rows).status_code == 302

    assert [one.phone for one in wedding.coordinators.all()] == ["+44 2"]
    assert Coordinator.objects.filter(name="Lee").exists()
    page = history_of(mara, wedding)
    assert "<td>coordinator’s phone</td>\n<td>Kim: +44 1</td>\n<td>Kim: +44 2</td>" in page
    assert "<td>coordinators</td>\n<td>Kim, Lee</td>\n<td>Kim</td>" in page


def test_the_history_says_who_changed_what_from_what_to_what(
    mara: Client, clock: TimeMachineFixture
) -> None:
    mara.post(ADD, typed(*TIMES))
    wedding = Wedding.objects.get()
    clock.move_to(NOW + HOUR, tick=False)
    mara.post(page_of(wedding), typed("2026-06-12 15:30", TIMES[1], venue="Old Mill"))

    page = history_of(mara, wedding)
    assert '<th scope="row">Wed 10 Jun 2026, 12:00 Berlin (10:00 UTC)</th>\n<td>mara</td>' in page
    assert "<td>Fri 12 Jun 2026, 14:00</td>\n<td>Fri 12 Jun 2026, 15:30</td>" in page
    assert "<td>venue</td>\n<td>–</td>\n<td>Old Mill</td>" in page
    assert "3 changes" in page


def test_a_wedding_nobody_changed_says_so(mara: Client) -> None:
    assert "Nobody has changed this wedding" in history_of(mara, save())


def test_nobody_overwrites_what_another_person_did_meanwhile(mara: Client) -> None:
    wedding = save(starts_at=NOW, ends_at=NOW + HOUR)
    writing.write_weddings(save=[wedding], by="grace", now=NOW)
    page = mara.get(page_of(wedding)).content.decode()
    assert '<input type="hidden" name="seen" value="0" id="id_seen">' in page
    keeping.still_going(wedding_id=wedding.pk, by="grace", now=NOW)

    form = typed("2026-06-10 11:00", "2026-06-10 12:00", seen="0")
    page = mara.post(page_of(wedding), form).content.decode()
    assert "grace changed this wedding at Wed 10 Jun 2026, 11:00 Berlin" in page
    wedding.refresh_from_db()
    assert wedding.status == "live"


def test_the_form_offers_a_row_for_somebody_and_those_who_are_known(mara: Client) -> None:
    Coordinator.objects.create(name="Kim")
    page = mara.get(ADD).content.decode()

    assert f'name="{PEOPLE}-0-phone"' in page
    assert ">Kim</option>" in page
    assert "new person</option>" in page
