"""Coordinators' facts change in four places, and leave the same record in each."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from audit import services as audit
from calendar_guard.models import Change, Coordinator, Wedding
from tests.calendar_guard.admin_words import LIST, page_of, people, save, typed
from tests.calendar_guard.callers import ROOT, caller, problem, wedding_keeper

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

PEOPLE = "/admin/calendar_guard/coordinator/"
KIM = {"name": "Kim", "email": "kim@a.example", "phone": "+44 1"}
NEWS = ("coordinator’s phone", "Kim: +44 1", "Kim: +44 2")
WORDS = {
    "title": "Ada & Grace",
    "zone": "Europe/Berlin",
    "starts_at": "2026-06-18T14:00:00",
    "ends_at": "2026-06-18T23:00:00",
}


@pytest.fixture
def kim() -> Coordinator:
    return Coordinator.objects.create(**KIM)


@pytest.fixture
def weddings(kim: Coordinator) -> list[Wedding]:
    found = [save(), save(title="Jo & Sam")]
    for wedding in found:
        wedding.coordinators.add(kim)
    return found


def changes(wedding: Wedding) -> list[tuple[str, str, str]]:
    return list(Change.objects.filter(wedding=wedding).values_list("field", "old", "new"))


def recorded() -> list[dict[str, object]]:
    return [dict(entry.data) for entry in audit.entries(subject="coordinators")]


def test_a_phone_changed_on_the_coordinators_page_is_remembered_beside_each_wedding(
    mara: Client, kim: Coordinator, weddings: list[Wedding]
) -> None:
    form = KIM | {"phone": "+44 2", "language": "en-gb"}
    assert mara.post(f"{PEOPLE}{kim.pk}/change/", form).status_code == 302

    assert [changes(wedding) for wedding in weddings] == [[NEWS], [NEWS]]
    assert recorded() == [{"added": [], "changed": [kim.pk]}]
    assert audit.entries(subject="coordinators")[0].actor == "mara"


def test_a_phone_changed_beside_one_wedding_is_remembered_beside_the_other(
    mara: Client, kim: Coordinator, weddings: list[Wedding]
) -> None:
    row = Wedding.coordinators.through.objects.get(wedding=weddings[0]).pk
    told = {"id": row, "wedding": weddings[0].pk, "name": "Kim Lee", "email": KIM["email"]}
    form = people(told | {"phone": "+44 2"}, known=1)
    page = mara.post(page_of(weddings[0]), typed("2026-06-18 14:00", "2026-06-18 23:00") | form)
    assert page.status_code == 302

    assert changes(weddings[1]) == [NEWS, ("coordinator’s name", "Kim: Kim", "Kim: Kim Lee")]
    assert "coordinators" not in [field for field, _, _ in changes(weddings[0])]
    assert recorded() == [{"added": [], "changed": [kim.pk]}]


def test_a_phone_changed_over_the_api_is_remembered_beside_each_wedding(
    kim: Coordinator, weddings: list[Wedding]
) -> None:
    client = caller("add_wedding", "change_coordinator")
    told = WORDS | {"coordinators": [KIM | {"phone": "+44 2"}]}
    assert client.post(f"{ROOT}weddings", told, format="json").status_code == 201

    assert [changes(wedding) for wedding in weddings] == [[NEWS], [NEWS]]
    assert recorded() == [{"added": [], "changed": [kim.pk]}]


def test_who_may_only_add_weddings_changes_no_coordinator(kim: Coordinator) -> None:
    client = wedding_keeper()
    told = WORDS | {"coordinators": [KIM | {"phone": "+44 2"}]}
    refused = problem(client.post(f"{ROOT}weddings", told, format="json"), 403)

    assert "kim@a.example is known here with another phone" in refused["detail"]
    assert "Write only the e-mail address" in refused["detail"]
    kim.refresh_from_db()
    assert (kim.phone, Wedding.objects.count()) == ("+44 1", 0)

    as_they_are = WORDS | {"coordinators": [KIM]}
    assert client.post(f"{ROOT}weddings", as_they_are, format="json").status_code == 201
    named = {"coordinators": ["kim@a.example"]}
    assert client.post(f"{ROOT}weddings", WORDS | named, format="json").status_code == 201


def test_nothing_new_leaves_no_record(mara: Client, kim: Coordinator) -> None:
    mara.post(f"{PEOPLE}{kim.pk}/change/", KIM | {"language": "en-gb"})

    assert recorded() == []


def test_a_removed_coordinator_stays_in_the_history_of_their_weddings(
    mara: Client, kim: Coordinator, weddings: list[Wedding]
) -> None:
    assert mara.post(f"{PEOPLE}{kim.pk}/delete/", {"post": "yes"}).status_code == 302

    assert changes(weddings[0]) == [("coordinators", "Kim", "")]
    assert recorded() == [{"removed": [kim.pk]}]


def test_the_record_has_no_name_and_no_number(
    mara: Client, kim: Coordinator, weddings: list[Wedding]
) -> None:
    mara.post(f"{PEOPLE}{kim.pk}/change/", KIM | {"phone": "+44 2", "language": "en-gb"})
    mara.post(f"{PEOPLE}add/", {"name": "Lee", "language": "de"})

    text = json.dumps([dict(entry.data) for entry in audit.entries()])
    assert not any(word in text for word in ("Kim", "+44", "Lee", "a.example"))


def test_who_may_not_change_coordinators_imports_no_file_that_could(client: Client) -> None:
    keeper = User.objects.create_user("lee", is_staff=True)
    may = ["view_wedding", "add_wedding", "change_wedding"]
    keeper.user_permissions.set(Permission.objects.filter(codename__in=may))
    client.force_login(keeper)

    assert client.get(f"{LIST}import/").status_code == 403
    assert "import/" not in client.get(LIST).content.decode()
