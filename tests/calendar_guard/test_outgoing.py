"""The calendar that people subscribe to: what is safe or protected, and nobody's name."""

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import icalendar
import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from access import services as access
from calendar_guard import coordinating, outgoing, services, writing
from calendar_guard.models import Coordinator, Feed
from calendar_guard.words import Window
from tests.calendar_guard import running
from tests.calendar_guard.callers import ROOT, caller, problem
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, LONDON, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

URL = ROOT + "calendar.ics"
NOW = at("2026-06-10 10:00", LONDON)
READ = ["calendar_guard.view_verdict"]


@pytest.fixture
def client() -> APIClient:
    return caller("view_verdict", name="vera")


add = partial(running.add, NOW + DAY, venue="Abbey", zone=BERLIN)


def events(content: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(content).walk("VEVENT"))


def test_safe_windows_read_back_as_the_judge_knows_them(client: APIClient) -> None:
    add()
    response = client.get(URL, {"show": "safe", "duration": "PT2H"})

    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    read = events(response.content)
    midnight = at("2026-06-10 00:00")
    windows = services.windows(start=midnight, end=midnight + 56 * DAY, duration=2 * HOUR, now=NOW)
    assert [(e.decoded("dtstart"), e.decoded("dtend")) for e in read] == [
        (window.start, window.end) for window in windows
    ]
    assert {str(e["summary"]) for e in read} == {"Safe for load tests"}
    assert {e.decoded("dtstamp") for e in read} == {NOW}
    assert len({str(e["uid"]) for e in read}) == len(read)


def test_protected_spans_say_what_but_never_who(client: APIClient) -> None:
    wedding = add()
    mara = Coordinator.objects.create(name="Mara Lind")
    coordinating.set_people(people={wedding.pk: [mara]}, by="mara", now=NOW)
    services.place_hold(reason="Rehearsal", starts_at=NOW, ends_at=NOW + HOUR, by="mara", now=NOW)
    content = client.get(URL, {"show": "protected"}).content

    assert {str(event["summary"]) for event in events(content)} == {
        "Protected: wedding",
        "Protected: hold",
        "Protected: Saturday in London",
        "Protected: Saturday in Berlin",
    }
    assert not any(name in content for name in (b"Ada", b"Grace", b"Abbey", b"Mara", b"Rehearsal"))


def test_a_wedding_keeps_its_uid_when_it_moves(client: APIClient) -> None:
    def uids() -> set[str]:
        read = events(client.get(URL, {"show": "protected"}).content)
        return {str(e["uid"]) for e in read if e["summary"] == "Protected: wedding"}

    wedding = add()
    before = uids()
    wedding.starts_at, wedding.ends_at = NOW + 2 * DAY, NOW + 2 * DAY + HOUR
    writing.write_weddings(save=[wedding], by="mara", now=NOW)
    assert uids() == before


def test_a_calendar_that_nobody_knows_whole_is_protected_to_its_end(client: APIClient) -> None:
    Feed.objects.create(name="venue", url="https://a.example/a.ics", created_at=NOW, due_at=NOW)
    read = events(client.get(URL, {"show": "protected"}).content)
    [stale] = [e for e in read if "not known" in e["summary"]]
    assert stale.decoded("dtend") == at("2026-06-10 00:00") + 56 * DAY
    assert not [e for e in events(client.get(URL).content) if e.decoded("dtend") > NOW]


def test_programs_are_told_its_name_and_how_often_to_look(client: APIClient) -> None:
    text = client.get(URL).content.decode()
    for line in ("X-WR-CALNAME:Safe for load tests", "REFRESH-INTERVAL;VALUE=DURATION:PT15M"):
        assert line in text.splitlines()
    assert max(len(line.encode()) for line in text.splitlines()) <= 75


def test_what_has_not_changed_is_not_sent_again(client: APIClient) -> None:
    first = client.get(URL)
    with time_machine.travel(NOW + HOUR, tick=False):
        again = client.get(URL, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "private, no-cache"

    add()
    assert client.get(URL, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("accept", ["text/calendar", "*/*", "image/png"])
def test_whatever_a_program_accepts_it_gets_a_calendar(client: APIClient, accept: str) -> None:
    assert client.get(URL, headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"show": "names"}, "show"),
        ({"duraton": "PT4H"}, "duraton"),
        ({"show": "a\x00"}, "show"),
        ({"duration": "1h"}, "duration"),
        ({"duration": ""}, "duration"),
        ({"duration": "P400D"}, "duration"),
    ],
)
def test_a_bad_address_is_refused_in_words(
    client: APIClient, query: dict[str, str], field: str
) -> None:
    assert list(problem(client.get(URL, query))["errors"]) == [field]


def token(*scopes: str) -> str:
    person = User.objects.create_user("subscriber")
    person.user_permissions.set(Permission.objects.filter(codename="view_verdict"))
    return access.issue_token(
        username="subscriber",
        scopes=scopes,
        now=datetime.now(UTC),
        lifetime=timedelta(days=1),
    )


def test_a_token_in_the_address_opens_the_calendar_and_nothing_else() -> None:
    stranger, secret = APIClient(REMOTE_ADDR="203.0.113.9"), token(*READ)

    assert stranger.get(URL, {"token": secret}).status_code == 200
    assert stranger.get(URL).status_code == 401
    problem(stranger.get(URL, {"token": secret + "x"}), 401)
    problem(stranger.get(URL, {"token": "a\x00"}), 401)
    problem(stranger.get(ROOT + "policy", {"token": secret}), 401)


@pytest.mark.parametrize("scopes", [[], [*READ, "calendar_guard.view_wedding"]])
def test_a_token_that_may_do_more_is_refused_in_an_address_only(scopes: list[str]) -> None:
    stranger, secret = APIClient(REMOTE_ADDR="203.0.113.9"), token(*scopes)

    refused = problem(stranger.get(URL, {"token": secret}), 403)
    assert "issue_token NAME --scope calendar_guard.view_verdict" in refused["detail"]
    by_header = stranger.get(URL, headers={"Authorization": f"Bearer {secret}"})
    assert by_header.status_code == 200


def test_the_token_is_in_no_log_and_no_refusal(caplog: pytest.LogCaptureFixture) -> None:
    stranger, secret = APIClient(REMOTE_ADDR="203.0.113.9"), token("streaming.read_stream")
    with caplog.at_level(logging.DEBUG):
        refused = stranger.get(URL, {"token": secret})
        wrong = stranger.get(URL, {"token": "wst_wrong", "show": "all"})

    assert (refused.status_code, wrong.status_code) == (403, 401)
    for text in (caplog.text, refused.content.decode(), wrong.content.decode()):
        assert secret not in text
        assert "wst_wrong" not in text
    assert refused["Referrer-Policy"]


def test_a_calendar_of_nothing_is_a_calendar() -> None:
    content = outgoing.write((), name="Empty", now=NOW)
    assert events(content) == []
    assert outgoing.mark(()) == outgoing.mark(())


def test_windows_of_summer_and_winter_are_told_in_utc() -> None:
    windows = [Window(at("2026-10-25 00:30", LONDON), at("2026-10-25 01:30", LONDON, fold=1))]
    [event] = events(
        outgoing.write(outgoing.safe_entries(windows, duration="PT1H"), name="a", now=NOW)
    )
    assert event.decoded("dtend") - event.decoded("dtstart") == 2 * HOUR
