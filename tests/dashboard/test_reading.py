"""Who may read, and how one logs in and out."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from tests.dashboard.conftest import ELSEWHERE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_tuesday")]


@pytest.mark.parametrize("path", ["/", "/runs/", "/runs/new/", "/runs/1/"])
def test_a_stranger_from_elsewhere_is_sent_to_the_log_in(client: Client, path: str) -> None:
    answer = client.get(path, **ELSEWHERE)  # type: ignore[arg-type]
    assert answer.status_code == 302
    assert answer["Location"] == f"/login/?next={path}"


def test_outside_the_embedded_stack_loopback_is_nothing_special(
    client: Client, settings: LazySettings
) -> None:
    settings.WEDSYNC_EMBEDDED = False
    assert client.get("/").status_code == 302


def test_whom_a_proxy_on_this_machine_forwards_is_not_a_neighbour(client: Client) -> None:
    assert client.get("/", HTTP_X_FORWARDED_FOR="192.0.2.7").status_code == 302


def test_a_viewer_may_read_from_anywhere(viewer: User) -> None:
    client = Client(**ELSEWHERE)  # type: ignore[arg-type]
    client.force_login(viewer)
    assert client.get("/").status_code == 200


def test_the_log_in_page_tells_a_stranger_nothing_of_the_calendar() -> None:
    page = Client(**ELSEWHERE).get("/login/").text  # type: ignore[arg-type]
    assert "Safe until" not in page
    assert "Blocked until" not in page


def test_a_wrong_password_is_said_in_one_sentence(client: Client, engineer: User) -> None:
    answer = client.post("/login/", {"username": "ellen", "password": "guess"})
    assert answer.status_code == 200
    assert "No one has this name with this password; check both, capitals count." in answer.text
    assert 'value="ellen"' in answer.text


def test_the_right_password_leads_to_the_page_that_was_asked_for(
    client: Client, engineer: User
) -> None:
    words = {"username": "ellen", "password": "ellen-has-a-password", "next": "/runs/new/"}
    assert client.post("/login/", words)["Location"] == "/runs/new/"


def test_no_address_of_another_site_is_followed_after_the_log_in(
    client: Client, engineer: User
) -> None:
    words = {"username": "ellen", "password": "ellen-has-a-password", "next": "https://evil.test/"}
    assert client.post("/login/", words)["Location"] == "/"


def test_logging_out_takes_a_post(engineers_client: Client) -> None:
    assert engineers_client.get("/logout/").status_code == 405
    assert engineers_client.post("/logout/")["Location"] == "/"
    assert "_auth_user_id" not in engineers_client.session
