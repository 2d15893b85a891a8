"""Windows, policy, heat map and feeds over the API: what the judge says, in one question."""

from datetime import datetime
from typing import Any

import pytest
import time_machine
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from calendar_guard import declaring, rules, services, zones
from calendar_guard.models import Attestation, Feed
from tests.calendar_guard.callers import ROOT, caller, problem
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, LONDON, at
from tests.calendar_guard.running import add

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

NOW = at("2026-06-10 10:00", LONDON)


@pytest.fixture
def client() -> APIClient:
    return caller("view_verdict", name="vera")


def test_all_windows_of_two_weeks_are_those_of_the_judge(client: APIClient) -> None:
    add(NOW + DAY, zone=BERLIN)
    words = client.get(ROOT + "windows", {"duration": "PT2H"}).json()

    assert (words["from"], words["to"]) == (NOW.isoformat(), (NOW + 14 * DAY).isoformat())
    assert words["duration"] == "PT2H"
    assert len(words["windows"]) == 4  # before and after the wedding, between Saturdays, to the end
    for window in words["windows"]:
        start, end = (datetime.fromisoformat(window[name]) for name in ("start", "end"))
        assert services.check(start=start, duration=end - start, now=NOW).safe


def test_a_short_horizon_shortens_what_is_answered_where_nothing_else_was_asked(
    client: APIClient, settings: Settings
) -> None:
    settings.WEDSYNC_GUARD = {"zones": (LONDON,), "horizon": 10 * DAY}
    words = client.get(ROOT + "windows", {"duration": "PT30M"}).json()
    assert (words["from"], words["to"]) == (NOW.isoformat(), (NOW + 10 * DAY).isoformat())
    assert client.get(ROOT + "heat-map").json()["weeks"] == 1


def test_the_windows_of_a_span_stay_inside_it(client: APIClient) -> None:
    asked = {"from": "2026-06-12T12:00:00Z", "to": "2026-06-12T16:00:00Z", "duration": "PT1H"}
    words = client.get(ROOT + "windows", asked).json()
    assert words["windows"] == [
        {"start": "2026-06-12T12:00:00+00:00", "end": "2026-06-12T16:00:00+00:00"}
    ]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ({}, "duration", "Say how long the test lasts"),
        ({"duration": "-PT1H"}, "duration", "not an ISO 8601 duration"),
        ({"duration": "P400D"}, "duration", "56 days ahead"),
        ({"duration": "PT1H", "from": "2026-06-09T10:00:00Z"}, "from", "is over"),
        ({"duration": "PT1H", "from": "2026-06-10T10:00"}, "from", "not an instant"),
        ({"duration": "PT1H", "to": "2026-06-10T09:00:00Z"}, "to", "not after the beginning"),
        ({"duration": "PT1H", "to": "2026-08-10T09:00:00Z"}, "to", "56 days at once"),
        ({"duration": "PT1H", "to": "9999-12-31T23:59:59Z"}, "to", "outside the calendar"),
        ({"duration": "PT1H", "from": "0001-01-01T00:00:00+14:00"}, "from", "outside"),
        ({"duration": "PT1H", "from": "2200-01-01T00:00:00Z"}, "from", "outside the calendar"),
    ],
)
def test_a_bad_question_for_windows_is_answered_in_words(
    client: APIClient, query: dict[str, str], field: str, said: str
) -> None:
    words = problem(client.get(ROOT + "windows", query))
    assert said in words["errors"][field][0]


def test_the_policy_in_force_is_told_whole(client: APIClient) -> None:
    add(NOW + DAY, zone=BERLIN)
    words = client.get(ROOT + "policy").json()

    assert words == {
        "protected_weekdays": ["Saturday"],
        "zones": ["Europe/Berlin", "Europe/London"],
        "operating_zones": ["Europe/London"],
        "home_zone": "Europe/London",
        "buffer": "PT15M",
        "stop_time": "PT1M",
        "monday_hour": 8,
        "monday_zone": "Europe/London",
        "horizon": "P56D",
        "season": {"months": [5, 6, 7, 8, 9, 10], "zone": "Europe/London"},
        "versions": {"rules": rules.VERSION, "zone_data": zones.data_version(), "calendar": 1},
        "calendar": {
            "complete_until": None,
            "stale": False,
            "why": "",
            "feeds": [],
            "attested_until": None,
        },
    }


def add_feed(name: str, **facts: Any) -> Feed:
    made = {"url": "https://a.example/$WEDSYNC_FEED_A", "created_at": NOW, "due_at": NOW}
    return Feed.objects.create(name=name, **(made | facts))


def test_every_feed_is_told_with_its_state_and_no_address(client: APIClient) -> None:
    good = {"known_until": NOW + 300 * DAY, "event_count": 12}
    add_feed("a fresh one", good_at=NOW - HOUR, **good)
    add_feed("b stale one", good_at=NOW - 7 * HOUR, **good)
    add_feed("c broken one", good_at=NOW, broken_at=NOW, problem="It has shrunk.", **good)
    add_feed("d new one")
    add_feed("e old one", is_active=False)
    response = client.get(ROOT + "feeds")

    told = [(f["name"][2:-4], f["state"], f["problem"]) for f in response.json()["feeds"]]
    assert told == [
        ("fresh", "fresh", ""),
        ("stale", "stale", "it was last read 7 h ago"),
        ("broken", "broken", "its content cannot be trusted; its page says why"),
        ("new", "never read", "it was never read"),
        ("old", "not in use", ""),
    ]
    assert response.json()["feeds"][0]["last_read_at"] == (NOW - HOUR).isoformat()
    assert b"a.example" not in response.content
    assert client.get(ROOT + "policy").json()["calendar"]["stale"]


def test_a_coordinators_word_is_part_of_the_policy(client: APIClient) -> None:
    add_feed("never read")
    declaring.attest(until=NOW + HOUR, why="Called them", by="mara", now=NOW)
    words = client.get(ROOT + "policy").json()["calendar"]

    assert not words["stale"]
    assert words["attested_until"] == words["complete_until"] == (NOW + HOUR).isoformat()
    assert Attestation.objects.get().why not in str(words)


def test_the_heat_map_has_every_hour_from_todays_midnight(client: APIClient) -> None:
    words = client.get(ROOT + "heat-map", {"weeks": "1", "zone": BERLIN}).json()

    assert words["start"] == "2026-06-09T22:00:00+00:00"
    assert (words["zone"], words["weeks"], len(words["hours"])) == (BERLIN, 1, 168)
    saturday = (at("2026-06-13 12:00", BERLIN) - at("2026-06-10 00:00", BERLIN)) // HOUR
    assert words["hours"][saturday] == 0
    assert words["hours"][12] == 1
    assert all(0 <= share <= 1 for share in words["hours"])


@pytest.mark.parametrize(("on", "hours"), [("2026-03-25", 167), ("2026-10-21", 169)])
def test_a_week_with_a_dst_night_has_an_hour_less_or_more(on: str, hours: int) -> None:
    with time_machine.travel(at(f"{on} 10:00", LONDON), tick=False):
        words = caller("view_verdict").get(ROOT + "heat-map", {"weeks": "1"}).json()
    assert len(words["hours"]) == hours


@pytest.mark.parametrize(
    ("query", "field"),
    [({"weeks": "0"}, "weeks"), ({"weeks": "9"}, "weeks"), ({"weeks": "²"}, "weeks")]
    + [({"zone": zone}, "zone") for zone in ("", "Mars", "../etc/passwd", "a" * 300, "a\x00")],
)
def test_a_bad_heat_map_is_refused_in_words(
    client: APIClient, query: dict[str, str], field: str
) -> None:
    assert field in problem(client.get(ROOT + "heat-map", query))["errors"]


@pytest.mark.parametrize("address", ["windows?duration=PT1H", "policy", "heat-map", "feeds"])
def test_neighbours_may_ask_and_strangers_may_not(address: str) -> None:
    assert APIClient().get(ROOT + address).status_code == 200
    assert APIClient(REMOTE_ADDR="203.0.113.9").get(ROOT + address).status_code == 401
    problem(caller("view_wedding").get(ROOT + address), 403)
