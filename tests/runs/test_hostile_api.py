"""Whatever is sent, the API of runs answers in words, and goes on answering."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from runs.models import Plan, Run
from tests.runs.callers import ROOT, SOUND, caller, problem, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

FUZZ = settings(settings.get_profile("usual"), max_examples=25)
TEXT = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    [
        *("\x00", "\ud800", "a" * 10_000, "1", "-1", "9" * 30, "PT0S", "PT2H", "P999999999D"),
        *("p95 > 800ms", "p95 of \ud800 > 1s", "base64:?", "base64:", "../x", "a/b", "wedsync-x"),
        *("http://127.0.0.1:9", "http://[", "http://\ud800", "127.0.0.1:99999", "guest-api"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-06-10T10:00:00Z"),
        *("FREQ=DAILY", "FREQ=DAILY;COUNT=0", "FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2", "TZ", "PATH"),
    ]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
REQUEST = [
    *("name", "tool", "script", "target", "duration", "users", "shards", "thresholds", "files"),
    *("variables", "secrets", "hosts", "ca", "tags", "notes"),
]
KNOWN = st.sampled_from([*REQUEST, "plan", "dry_run", "why", "site", "run"])
SCHEDULE = st.sampled_from(["plan", "starts_at", "rule", "zone", "rolls"])
WORDS = st.dictionaries(KNOWN, JSON | TEXT | st.lists(TEXT, max_size=3), max_size=4)
MAPS = st.fixed_dictionaries(
    {},
    optional={
        name: st.dictionaries(TEXT, TEXT, max_size=3)
        for name in ("files", "variables", "secrets", "hosts")
    },
)
ASKED = st.sampled_from(
    [*("state", "tool", "tag", "text", "plan", "limit", "before", "width", "a", "b"), "x"]
)
READ = st.sampled_from(
    [
        *("runs", "runs/1", "runs/stop", "runs/compare", "runs/1/metrics", "runs/1/moves"),
        *("plans", "plans/1", "plans/1/trend", "schedules", "schedules/1", "targets"),
        *("runs/99999999999999999999", "plans/-1", "schedules/%00", "runs/%F0%9F"),
    ]
)


@pytest.fixture(autouse=True, scope="module")
def _on_a_wednesday() -> Iterator[None]:
    with time_machine.travel(datetime.fromisoformat("2026-06-10T10:00:00+01:00"), tick=False):
        yield


def answered(response: Any) -> None:
    """In UTF-8 and in words, whatever it is; a crash would have been raised by the client."""
    assert response.status_code < 500
    if response["Content-Type"].endswith("json"):
        words = json.loads(response.content.decode())
        assert response.status_code < 400 or words["detail"]


def sent(verb: str, address: str, body: Any) -> None:
    call = getattr(caller(), verb)
    answered(call(ROOT + address, json.dumps(body), content_type="application/json"))


@FUZZ
@given(WORDS | st.dictionaries(TEXT, JSON, max_size=3), MAPS, JSON)
def test_any_start_and_any_plan_is_answered(words: Any, maps: Any, other: Any) -> None:
    for address in ("runs", "plans"):
        for body in (SOUND | words, SOUND | maps, SOUND | maps | {"dry_run": True}, words, other):
            sent("post", address, body)
    answered(caller().get(f"{ROOT}runs"))
    answered(caller().get(f"{ROOT}plans"))


@FUZZ
@example(words={"tags": ["\ud800"]}, maps={})
@given(WORDS, MAPS)
def test_any_change_is_answered(words: Any, maps: Any) -> None:
    client = caller()
    plan = send(client, "post", "plans", SOUND).json()["id"]
    run = send(client, "post", "runs", {"plan": plan}).json()["id"]
    for body in (words, maps):
        sent("patch", f"plans/{plan}", body)
        sent("post", "runs", body | {"plan": plan})
    sent("put", f"plans/{plan}/baseline", words)
    sent("patch", f"runs/{run}", {name: words[name] for name in words if name in {"tags", "notes"}})
    sent("post", f"runs/{run}/stop", words)
    sent("post", f"runs/{run}/stop", {"why": words.get("why")})
    sent("post", "runs/stop", words)
    assert client.get(f"{ROOT}plans/{plan}").status_code == 200
    assert client.get(f"{ROOT}runs/{run}").status_code == 200


@FUZZ
@given(st.dictionaries(SCHEDULE, JSON | TEXT, max_size=5), TEXT, TEXT)
def test_any_schedule_is_answered(words: Any, rule: str, zone: str) -> None:
    client = caller()
    plan = {"plan": send(client, "post", "plans", SOUND).json()["id"]}
    sent("post", "schedules", words)
    sent("post", "schedules", words | plan)
    begins = {"starts_at": "2026-06-10T12:00:00Z"}
    sent("post", "schedules", plan | begins | {"rule": rule})
    sent("post", "schedules", plan | begins | {"rule": "FREQ=DAILY", "zone": zone})
    answered(client.get(f"{ROOT}schedules"))


@FUZZ
@given(READ, st.dictionaries(ASKED, TEXT, max_size=4))
def test_any_question_is_answered(address: str, query: dict[str, str]) -> None:
    sendable = {
        name: text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        for name, text in query.items()
    }
    answered(caller().get(ROOT + address, sendable))


@FUZZ
@given(TEXT)
def test_any_key_is_answered(key: str) -> None:
    shown = key.encode("latin-1", "replace").decode("latin-1")
    answered(send(caller(), "post", "runs", SOUND, **{"Idempotency-Key": shown}))


@pytest.mark.parametrize("address", ["runs", "plans", "schedules", "runs/stop", "runs/1/stop"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"users": NaN}', "NaN is no number"),
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "Send a JSON object"),
        (b"null", "Send a JSON object"),
    ],
)
def test_what_is_no_object_is_refused_in_words(address: str, body: bytes, said: str) -> None:
    answer = caller().post(ROOT + address, body, content_type="application/json")
    assert said in problem(answer)["detail"]
    assert not Run.objects.exists()
    assert not Plan.objects.exists()


def test_a_form_is_told_to_be_json() -> None:
    problem(caller().post(ROOT + "runs", SOUND), 415)


def test_who_has_no_name_is_told_how_to_give_one() -> None:
    told = problem(send(APIClient(), "post", "runs", SOUND), 401)
    assert "Authorization: Bearer" in told["next"]
