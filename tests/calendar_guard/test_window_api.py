import re
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from calendar_guard.models import Permit
from tests.calendar_guard.examples import LONDON, at

pytestmark = pytest.mark.django_db

URL = "/api/load-testing/window"
WEDNESDAY, SATURDAY = at("2026-06-10 10:00", LONDON), at("2026-06-13 10:00", LONDON)


@pytest.fixture
def reader() -> User:
    user = User.objects.create_user("vera")
    user.user_permissions.add(Permission.objects.get(codename="view_verdict"))
    return user


@pytest.fixture
def client(reader: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(reader)
    return client


def test_a_quiet_wednesday_answers_safe(client: APIClient) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        response = client.get(URL, {"duration": "PT30M"})

    assert response.status_code == 200
    assert response.json() == {
        "safe": True,
        "reason": "No active weddings detected",
        "blockers": [],
        "next_safe_window": {
            "start": "2026-06-10T09:00:00+00:00",
            "end": "2026-06-12T22:44:00+00:00",
        },
    }


def test_a_saturday_answers_too_with_the_window_to_come(client: APIClient) -> None:
    with time_machine.travel(SATURDAY, tick=False):
        response = client.get(URL, {"duration": "PT30M"})

    assert response.status_code == 200
    assert response.json()["reason"] == "Saturday wedding day protection"
    assert response.json()["next_safe_window"]["start"] == "2026-06-15T07:00:00+00:00"
    assert not Permit.objects.exists()


def test_another_time_may_be_asked_for(client: APIClient) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        response = client.get(URL, {"duration": "PT30M", "at": "2026-06-13T10:00:00+01:00"})

    assert not response.json()["safe"]


def test_the_longest_question_is_the_horizon(client: APIClient) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        response = client.get(URL, {"duration": "P56D", "at": "2026-06-13T10:00:00Z"})

    assert response.status_code == 200
    assert response.json()["next_safe_window"] is None


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({}, "Say how long the test lasts"),
        ({"duration": ""}, "not an ISO 8601 duration"),
        ({"duration": "30m"}, "not an ISO 8601 duration"),
        ({"duration": "PT0S"}, "lasts no time"),
        ({"duration": "P57D"}, "56 days ahead"),
        ({"duration": "P" + "9" * 400 + "D"}, "longer than any test|not an ISO"),
        ({"duration": "PT30M", "at": ""}, "not an instant"),
        ({"duration": "PT30M", "at": "2026-06-10"}, "not an instant"),
        ({"duration": "PT30M", "at": "2026-06-10T10:00:00 02:00"}, "write \\+ as %2B"),
        ({"duration": "PT30M", "at": "9999-12-31T00:00:00Z"}, "outside the calendar"),
        ({"duration": "PT30M", "at": "0001-01-01T00:00:00Z"}, "is over; ask for now"),
        ({"duration": "PT30M", "at": "2026-06-10T09:58:00+01:00"}, "is over; ask for now"),
        ({"duration": "PT30M", "at": "2026-06-10T10:00:00\x00"}, "zero byte"),
        ({"duration": "PT30M", "start": "2026-06-13T10:00:00Z"}, "no such word; known are dura"),
    ],
)
def test_a_bad_question_is_answered_in_words(
    client: APIClient, query: dict[str, str], sentence: str
) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        response = client.get(URL, query)

    assert response.status_code == 400
    problem: dict[str, Any] = response.json()
    assert re.search(sentence, problem["detail"])


def test_a_clock_that_is_half_a_minute_behind_may_ask(client: APIClient) -> None:
    with time_machine.travel(WEDNESDAY, tick=False):
        query = {"duration": "PT30M", "at": "2026-06-10T09:59:30+01:00"}
        assert client.get(URL, query).json()["safe"]


def test_who_may_not_ask_gets_no_answer(reader: User) -> None:
    client = APIClient(REMOTE_ADDR="203.0.113.9")
    assert client.get(URL, {"duration": "PT30M"}).status_code == 401

    reader.user_permissions.clear()
    client.force_authenticate(User.objects.get(pk=reader.pk))
    assert client.get(URL, {"duration": "PT30M"}).status_code == 403


def test_the_embedded_stack_answers_its_neighbours_without_a_token() -> None:
    assert APIClient().get(URL, {"duration": "PT30M"}).status_code == 200


def test_there_is_only_a_question_to_ask(client: APIClient) -> None:
    assert client.post(URL, {"duration": "PT30M"}, format="json").status_code == 405
