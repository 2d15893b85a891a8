"""A role opens the pages of its work and no others."""

import pytest
from django.test import Client

from calendar_guard.models import Coordinator
from tests.calendar_guard.admin_words import ADD, FEEDS, HOLDS, LIST, page_of, save
from tests.calendar_guard.conftest import browser_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

PEOPLE = "/admin/calendar_guard/coordinator/"
ATTESTATIONS, PERMITS = "/admin/calendar_guard/attestation/", "/admin/calendar_guard/permit/"
ALL = (LIST, HOLDS, FEEDS, PEOPLE, ATTESTATIONS, PERMITS)


@pytest.mark.parametrize(
    ("role", "open_to_them"),
    [
        ("viewer", ()),
        ("engineer", (HOLDS,)),
        ("coordinator", ALL),
        ("ops", ALL),
    ],
)
def test_a_role_opens_its_own_pages(role: str, open_to_them: tuple[str, ...]) -> None:
    browser = browser_of("kim", role)

    assert {page for page in ALL if browser.get(page).status_code == 200} == set(open_to_them)
    assert {browser.get(page).status_code for page in ALL} <= {200, 403}


@pytest.mark.parametrize("role", ["viewer", "engineer"])
def test_nobody_else_touches_a_wedding(role: str) -> None:
    wedding, browser = save(), browser_of("kim", role)

    assert browser.get(ADD).status_code == browser.post(ADD).status_code == 403
    assert browser.post(page_of(wedding)).status_code == 403
    assert browser.get(f"{LIST}{wedding.pk}/history/").status_code == 403
    for verb in ("still-going", "completed-now", "delete"):
        assert browser.post(f"{LIST}{wedding.pk}/{verb}/").status_code == 403


def test_who_is_not_logged_in_is_sent_to_the_log_in(client: Client) -> None:
    wedding = save()
    answer = client.post(f"{LIST}{wedding.pk}/still-going/")

    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]
    wedding.refresh_from_db()
    assert wedding.status == "confirmed"


def test_a_coordinator_has_every_page_of_the_work_and_none_for_starting_tests(
    mara: Client,
) -> None:
    Coordinator.objects.create(name="Kim")
    adds = [f"{page}add/" for page in (LIST, HOLDS, FEEDS, PEOPLE, ATTESTATIONS)]

    assert {mara.get(page).status_code for page in adds} == {200}
    user = mara.get(LIST).wsgi_request.user
    assert not user.has_perm("runs.add_run")
    assert not user.has_perm("runs.add_plan")
    assert user.has_perm("runs.stop_run")
