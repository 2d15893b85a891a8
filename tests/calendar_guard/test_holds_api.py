"""Holds and attestations over the API, by coordinators who need no engineering rights."""

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from calendar_guard import services
from calendar_guard.models import Attestation, Hold, Revision
from tests.calendar_guard.callers import ROOT, caller, problem
from tests.calendar_guard.examples import DAY, HOUR, LONDON, at
from tests.calendar_guard.running import grant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

URL = ROOT + "holds"
NOW = at("2026-06-10 10:00", LONDON)
SENT = {
    "reason": "Rehearsal",
    "starts_at": "2026-06-10T10:00:00+01:00",
    "ends_at": "2026-06-10T14:00:00+02:00",
}


@pytest.fixture
def client() -> APIClient:
    return caller("view_hold", "add_hold", "change_hold")


def post(client: APIClient, words: Any, **query: str) -> Any:
    return client.post(URL, words, format="json", query_params=query)


def test_a_hold_is_placed_told_and_lifted(client: APIClient) -> None:
    grant(duration=2 * HOUR)
    response = post(client, SENT)
    placed = response.json()

    assert response.status_code == 201
    assert placed.pop("stopped") == [{"run": "12", "label": "guest rush"}]
    assert placed == {
        "id": placed["id"],
        "reason": "Rehearsal",
        "starts_at": "2026-06-10T09:00:00+00:00",
        "ends_at": "2026-06-10T12:00:00+00:00",
        "state": "in force",
        "created_by": "mara",
        "created_at": NOW.isoformat(),
        "lifted_by": "",
        "lifted_at": None,
    }
    assert not services.check(start=NOW, duration=HOUR, now=NOW).safe
    address = f"{URL}/{placed['id']}"
    assert client.get(address).json() == placed

    for _ in range(2):
        lifted = client.delete(address)
        assert (lifted.status_code, lifted.json()["state"]) == (200, "lifted")
    assert lifted.json()["lifted_by"] == "mara"
    assert services.check(start=NOW, duration=HOUR, now=NOW).safe


def test_a_hold_begins_now_where_nothing_else_is_said(client: APIClient) -> None:
    placed = post(client, {"reason": "Rehearsal", "ends_at": SENT["ends_at"]}).json()
    assert placed["starts_at"] == NOW.isoformat()


def test_the_list_has_those_in_force_and_to_come(client: APIClient) -> None:
    tomorrow = {"starts_at": "2026-06-11T10:00:00Z", "ends_at": "2026-06-11T12:00:00Z"}
    both = post(client, [SENT, SENT | tomorrow])
    assert [hold["state"] for hold in both.json()["holds"]] == ["in force", "to come"]
    client.delete(f"{URL}/{both.json()['holds'][0]['id']}")

    assert [hold["state"] for hold in client.get(URL).json()["holds"]] == ["to come"]
    everything = client.get(URL, {"all": "1"}).json()["holds"]
    assert [hold["state"] for hold in everything] == ["to come", "lifted"]


def test_a_list_with_one_wrong_hold_places_none(client: APIClient) -> None:
    words = problem(post(client, [SENT, SENT | {"ends_at": "2026-06-10T10:00:00+01:00"}]))
    assert "end before it starts" in words["errors"]["1"]["ends_at"][0]
    assert not Hold.objects.exists()
    assert "At most 100" in problem(post(client, [SENT] * 101))["detail"]


def test_a_preview_tells_what_a_hold_would_stop_and_places_none(client: APIClient) -> None:
    grant(duration=2 * HOUR)
    assert post(client, SENT, preview="1").json() == {
        "preview": True,
        "would_stop": [{"run": "12", "label": "guest rush"}],
    }
    assert "no such word" in problem(post(client, SENT, preveiw="1"))["detail"]
    assert not Hold.objects.exists()
    assert services.permits_in_force(now=NOW)


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"reason": ""}, "reason", "Say why"),
        ({"reason": "a\x00"}, "reason", "zero byte"),
        ({"reason": "a" * 201}, "reason", "At most 200"),
        ({"reason": None}, "reason", "This is text"),
        ({"starts_at": "2026-06-10T10:00:00"}, "starts_at", "an instant with an offset"),
        ({"starts_at": 5}, "starts_at", "This is text"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at", "outside the calendar"),
        ({"ends_at": "9999-12-31T23:59:59-14:00"}, "ends_at", "outside the calendar"),
        ({"ends_at": "2026-07-20T10:00:00Z"}, "ends_at", "31 days at most"),
        ({"until": "2026-07-20T10:00:00Z"}, "until", "no such word"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_in_words(
    client: APIClient, words: dict[str, Any], field: str, said: str
) -> None:
    errors = problem(post(client, SENT | words))["errors"]
    assert list(errors) == [field]
    assert said in errors[field][0]


def test_who_may_look_may_not_place_or_lift() -> None:
    placed = post(caller("add_hold"), SENT).json()["id"]
    looker = caller("view_hold", name="vera")
    assert looker.get(URL).status_code == 200
    problem(post(looker, SENT), 403)
    problem(looker.delete(f"{URL}/{placed}"), 403)
    problem(APIClient().get(URL), 403)
    problem(looker.get(f"{URL}/{10**30}"), 404)


def test_a_coordinator_confirms_that_the_calendar_is_complete() -> None:
    client = caller("attest_calendar", "view_attestation")
    words = {"until": "2026-06-10T18:00:00+01:00", "why": "Called every venue"}
    response = client.post(ROOT + "attestations", words, format="json")

    assert response.status_code == 201
    told = {"until": "2026-06-10T17:00:00+00:00", "why": words["why"], "by": "mara"}
    assert told.items() <= response.json().items()
    assert client.get(ROOT + "attestations").json() == {"attestations": [response.json()]}


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({}, "until"),
        ({"until": "2026-06-12T18:00:00Z", "why": "sure"}, "until"),
        ({"until": "2026-06-10T18:00:00Z"}, "why"),
        ({"until": "2026-06-10T18:00:00Z", "why": "a" * 201}, "why"),
        ({"until": "2026-06-10T18:00:00Z", "because": "sure"}, "because"),
    ],
)
def test_a_word_that_cannot_stand_is_refused(words: dict[str, str], field: str) -> None:
    client = caller("attest_calendar")
    refused = problem(client.post(ROOT + "attestations", words, format="json"))
    assert list(refused["errors"]) == [field]
    assert not Attestation.objects.exists()


def test_only_who_may_confirm_confirms() -> None:
    client = caller("view_attestation", "change_wedding")
    problem(client.post(ROOT + "attestations", {}, format="json"), 403)
    problem(caller("view_verdict").get(ROOT + "attestations"), 403)


def test_a_hold_of_yesterday_is_over(client: APIClient) -> None:
    address = f"{URL}/{post(client, SENT).json()['id']}"
    with time_machine.travel(NOW + DAY, tick=False):
        assert client.get(address).json()["state"] == "over"
        assert client.get(URL).json()["holds"] == []


def test_a_list_of_holds_is_one_write_to_the_calendar(client: APIClient) -> None:
    grant(duration=2 * HOUR)
    answer = post(client, [SENT | {"reason": f"Rehearsal {n}"} for n in range(100)]).json()

    assert len(answer["holds"]) == 100
    assert answer["stopped"] == [{"run": "12", "label": "guest rush"}]
    assert Revision.objects.get().number == 1
