import base64
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

import clock
from runs import engine, services
from runs.models import Run
from runs.redaction import HIDDEN, Redactor
from runs.samples import REQUESTS, Batch, Cell, Key
from tests.runs.conftest import request_for

SECRET = 'a/b c+"hush"é'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_usual_writing(form: str) -> None:
    assert form not in Redactor([SECRET]).text(f"GET /?token={form}&x=1")


@pytest.mark.parametrize("user", ["", "a", "bob", "anna", "guest-of-the-bride"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_hidden_where_it_is_the_password_of_basic_authorization(
    user: str, encode: Callable[[bytes], bytes]
) -> None:
    login = encode(f"{user}:{SECRET}??>>".encode()).decode()
    told = Redactor([SECRET]).text(f"Authorization: Basic {login}")
    assert HIDDEN in told
    left = told.split("Basic ")[1].split(HIDDEN)
    assert len("".join(left)) <= len(encode(f"{user}:??>>".encode())) + 4


def test_nothing_steers_the_readers_terminal() -> None:
    said = "\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07\r\n\tas is: ü \u200f\U0001f492\x9b2J"
    assert Redactor(()).text(said) == "red ]0;title\n\tas is: ü \u200f\U0001f4922J"
    batch = Batch(cells={(1, Key(REQUESTS, "GET /\x1b[2J", "200")): Cell()})
    assert list(Redactor(()).batch(batch).cells) == [(1, Key(REQUESTS, "GET /", "200"))]


def test_the_rest_of_a_text_stays() -> None:
    assert Redactor(["hush-hush"]).text("Bearer hush-hush!") == f"Bearer {HIDDEN}!"
    assert Redactor(()).text("Bearer hush-hush!") == "Bearer hush-hush!"


@given(st.text(alphabet="abcdefgh", min_size=8, max_size=20), st.integers(4, 20))
def test_a_secret_that_was_cut_in_two_is_hidden_as_well(secret: str, at: int) -> None:
    redact = Redactor([secret]).text
    assert not redact(f"{secret[-at:]} and so on").startswith(secret[-at:])
    assert not redact(f"and so on {secret[:at]}").endswith(secret[:at])


def plainly(secret: str, text: str) -> str:
    """With every part of the secret tried, however short the text is."""
    text = text.replace(secret, HIDDEN)
    for length in range(len(secret) - 1, 3, -1):
        if text.startswith(secret[-length:]):
            text = HIDDEN + text[length:]
        if text.endswith(secret[:length]):
            text = text[:-length] + HIDDEN
    return text


@given(st.text(alphabet="ab", min_size=4, max_size=30), st.text(alphabet="abc", max_size=40))
def test_no_part_is_missed_of_a_secret_that_is_longer_than_the_text(secret: str, text: str) -> None:
    assert Redactor([secret]).text(text) == plainly(secret, text)


def test_a_long_secret_makes_no_short_name_slow() -> None:
    redact, began = Redactor(["abcdefgh" * 2000]).text, time.process_time()
    for number in range(100):
        assert redact(f"GET /guests/{number}") == f"GET /guests/{number}"
    assert time.process_time() - began < 0.5


def test_a_secret_of_many_lines_makes_no_name_slow() -> None:
    lines = [f"{number:04x}" + "MIIBVgIBADANBgkqhkiG9w0BAQEFAASC" * 2 for number in range(30)]
    redact, began = Redactor(["\n".join(lines)]).text, time.process_time()
    for number in range(3000):
        name = f"GET http://shop.example/weddings/{number}/guests/{number}/rsvp/{number}/thanks"
        assert redact(name) == name
    assert time.process_time() - began < 1.5


def test_every_line_of_a_long_secret_is_one() -> None:
    key = "-----BEGIN-----\nMIIBVgIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END-----"
    assert "hkiG9w0" not in Redactor([key]).text("bad line: hkiG9w0BAQEFAASC")


def test_names_metrics_and_statuses_lose_their_secrets_and_no_sample() -> None:
    cells = {
        (7, Key(REQUESTS, "GET /hush-hush", "200")): Cell([1.0], errors=1),
        (7, Key(REQUESTS, f"GET /{HIDDEN}", "200")): Cell([2.0], unanswered=1),
        (8, Key("hush-hush", "home", "hush-hush")): Cell([3.0]),
    }
    batch = Redactor(["hush-hush"]).batch(Batch(cells, {7: 1}, {"hush-hush": "trend"}))
    assert "hush" not in str(batch)
    merged = batch.cells[7, Key(REQUESTS, f"GET /{HIDDEN}", "200")]
    assert (sorted(merged.values), merged.errors, merged.unanswered) == ([1.0, 2.0], 1, 1)
    assert (batch.users, batch.kinds) == ({7: 1}, {HIDDEN: "trend"})


@pytest.mark.paced
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6")
def test_a_teardown_that_fails_with_a_secret_in_its_words_leaves_none(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_SECRET_GUEST_API", "hush-hush-token")
    request = request_for("spills", 1, secrets={"API_TOKEN": "guest-api"})
    word = services.start(by=engineer, request=request, now=clock.now())
    engine.execute(int(word.id))
    run = Run.objects.get(pk=word.id)
    assert run.state == "errored"
    assert f"no guest has the token {HIDDEN}" in str(run.verdict)
    assert f"no guest has the token {HIDDEN}" in run.log_tail
    assert "hush-hush" not in str([run.verdict, run.log_tail, run.endpoints, run.metrics])
