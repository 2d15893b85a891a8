"""Whatever is sent, the guard answers in words, keeps nothing by halves and goes on answering."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from calendar_guard.models import Wedding
from calendar_guard.weddings.facts import READ_ONLY, WORDS
from tests.calendar_guard.callers import ROOT, caller, problem
from tests.calendar_guard.examples import LONDON, at

pytestmark = pytest.mark.django_db

FUZZ = settings(settings.get_profile("usual"), max_examples=60)
TEXT = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    [
        *("\x00", "\ud800", "a" * 10_000, "Europe/London", "live", "-PT1H", "P400D", "PT2H"),
        *("0001-01-01T00:00:00", "9999-12-31T23:59:59", "2026-06-20T14:00:00", "2026-06-20"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-06-20T14:00:00Z"),
    ]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
WEDDING = {
    "title": "a",
    "zone": LONDON,
    "starts_at": "2026-06-20T14:00:00",
    "ends_at": "2026-06-20T20:00:00",
}
SOUND = {
    "weddings": WEDDING,
    "holds": {"reason": "a", "ends_at": "2026-06-20T14:00:00Z"},
    "attestations": {"until": "2026-06-10T14:00:00Z", "why": "a"},
}
KNOWN = st.sampled_from([*WORDS, *READ_ONLY, "reason", "until", "why", "name", "email", "phone"])
QUESTIONS = {
    "window": "at duration",
    "windows": "from to duration",
    "heat-map": "weeks zone",
    "calendar.ics": "show duration token",
    "weddings": "from to status source coordinator limit offset",
    "holds": "all",
    **dict.fromkeys(("policy", "feeds", "weddings/active", "weddings/1", "holds/0"), "preview"),
    "weddings/99999999999999999999": "preview",
}


@pytest.fixture(autouse=True, scope="module")
def _on_a_wednesday() -> Iterator[None]:
    with time_machine.travel(at("2026-06-10 10:00", LONDON), tick=False):
        yield


def everything() -> APIClient:
    verbs = [f"{verb}_wedding" for verb in ("view", "add", "change", "delete")]
    holds = ["view_hold", "add_hold", "change_hold", "attest_calendar", "view_attestation"]
    return caller("view_verdict", *verbs, *holds)


def send(client: APIClient, verb: str, address: str, body: str | bytes) -> Any:
    call = getattr(client, verb)
    return call(ROOT + address, body, content_type="application/json")


def answered(response: Any) -> None:
    """In UTF-8 and in words, whatever it is; a crash would have been raised by the client."""
    assert response.status_code < 500
    if response["Content-Type"].endswith("json"):
        words = json.loads(response.content.decode())
        assert response.status_code < 400 or words["detail"]


@FUZZ
@given(st.sampled_from(sorted(SOUND)), st.dictionaries(KNOWN | TEXT, JSON, max_size=4), JSON)
def test_any_object_list_or_value_is_answered(address: str, words: Any, other: Any) -> None:
    client = everything()
    for body in (SOUND[address] | words, [SOUND[address], words, other], other):
        answered(send(client, "post", address, json.dumps(body)))
    answered(client.get(ROOT + "window", {"duration": "PT30M"}))


@FUZZ
@given(st.dictionaries(KNOWN | TEXT, JSON, max_size=4))
def test_any_change_of_a_wedding_is_answered(words: Any) -> None:
    client = everything()
    made = send(client, "post", "weddings", json.dumps(WEDDING)).json()["id"]
    for verb, body in (("patch", words), ("put", WEDDING | words)):
        answered(send(client, verb, f"weddings/{made}", json.dumps(body)))
    assert client.get(f"{ROOT}weddings/{made}").status_code == 200


@FUZZ
@given(st.sampled_from(list(QUESTIONS)), st.data())
def test_any_question_is_answered(address: str, data: st.DataObject) -> None:
    """In words that it knows: one that it does not know ends every question alike."""
    known = QUESTIONS[address].split()
    query = data.draw(st.dictionaries(st.sampled_from(known), TEXT, max_size=4))
    sendable = {
        name: text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        for name, text in query.items()
    }
    answered(everything().get(ROOT + address, sendable))
    if "duration" in known:
        answered(everything().get(ROOT + address, {"duration": "PT1H", **sendable}))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"guests": ' + "9" * 5000 + "}", "not JSON"),
        ('{"guests": NaN}', "NaN is no number"),
        (b'{"title": "\xff"}', "not JSON"),
        ("\ufeff{}", "not JSON"),
        ("{", "not JSON"),
        ("7", "Send a JSON object"),
        ("null", "Send a JSON object"),
        ("[]", "Send a JSON object"),
        ("[[]]", "Send a JSON object"),
        ("[" + "{}," * 1000 + "{}]", "At most 1,000 at once"),
    ],
)
def test_what_is_no_list_of_objects_is_refused_in_words(body: str | bytes, said: str) -> None:
    assert said in problem(send(everything(), "post", "weddings", body))["detail"]
    assert not Wedding.objects.exists()


def test_a_huge_body_is_not_read_to_its_end() -> None:
    body = json.dumps([WEDDING | {"notes": "a" * 9_000}] * 300)
    assert (
        "2.5 million bytes" in problem(send(everything(), "post", "weddings", body), 413)["detail"]
    )


def test_a_form_is_told_to_be_json() -> None:
    response = everything().post(ROOT + "weddings", WEDDING)
    assert "Unsupported media type" in problem(response, 415)["detail"]


def test_a_method_that_is_not_there_is_told_so() -> None:
    client = everything()
    for address in ("policy", "windows", "feeds", "heat-map", "calendar.ics", "weddings/active"):
        problem(client.post(ROOT + address), 405)
    for address in ("weddings", "holds"):
        problem(client.delete(ROOT + address), 405)
