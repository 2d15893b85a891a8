"""What the calendar answers to programs: over HTTP, on the Friday before the clocks go back."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.stories.people import API, wedding
from tests.stories.stack import Stack

pytestmark = [pytest.mark.live, pytest.mark.tool]
HOUR = timedelta(hours=1)
MARA = {"name": "Mara Lind", "email": "mara@venue.example", "phone": "+44 20 7946 0000"}


@pytest.mark.parametrize(
    ("evening", "morning", "ends_in_utc"),
    [
        ("2026-10-24T18:00:00", "2026-10-25T02:30:00", "2026-10-25T01:30:00+00:00"),  # the later
        ("2027-03-27T18:00:00", "2027-03-28T03:30:00", "2027-03-28T01:30:00+00:00"),
    ],
)
def test_a_wedding_across_midnight_ends_by_the_venues_clock_in_the_night_it_is_changed(
    october: Stack, keeper: httpx.Client, evening: str, morning: str, ends_in_utc: str
) -> None:
    words = {"zone": "Europe/Berlin", "starts_at": evening, "ends_at": morning, "teardown": "PT1H"}
    with wedding(keeper, **words) as kept:
        assert (kept["starts_at"], kept["ends_at"]) == (evening, morning)
        assert kept["ends_at_utc"] == ends_in_utc
        free_from = datetime.fromisoformat(ends_in_utc) + HOUR
        assert kept["protected"]["until"] == free_from.isoformat()
        day = {"from": f"{morning[:10]}T00:00:00Z", "to": f"{morning[:10]}T12:00:00Z"}
        [window] = october.ask_calendar("windows", duration="PT1H", **day)["windows"]
        assert window["start"] == free_from.isoformat()
        last = free_from - timedelta(seconds=1)
        assert rules(october, at=last.isoformat(), duration="PT1H") == ["wedding"]


def rules(stack: Stack, **question: str) -> list[str]:
    """What stands in the way of a test, by rule."""
    return [blocker["rule"] for blocker in stack.ask_calendar("window", **question)["blockers"]]


def test_where_nothing_fits_within_the_horizon_the_longest_gap_is_named(october: Stack) -> None:
    said = october.ask_calendar("window", duration="P7D")
    assert (said["safe"], said["next_safe_window"]) == (False, None)
    # From Saturday to Saturday are six days, an hour more in the week with the Sunday of 25 hours,
    # and a minute of them is kept for stopping.
    assert "no window of 7 d fits within 56 days" in said["reason"]
    assert "the longest is 6 d 59 min from Sun 25 Oct 2026" in said["reason"]
    begins = october.now()
    span = {"from": begins.isoformat(), "to": (begins + timedelta(days=56)).isoformat()}
    [longest] = october.ask_calendar("windows", duration="P6DT59M", **span)["windows"]
    assert longest["start"] == "2026-10-24T23:00:00+00:00"
    assert october.ask_calendar("windows", duration="P6DT1H", **span)["windows"] == []


def test_metrics_carry_season_peak_and_load_and_no_name(
    october: Stack, keeper: httpx.Client, guest_site: str
) -> None:
    tonight = {"starts_at": "2026-10-23T19:00:00", "ends_at": "2026-10-24T01:00:00"}
    with wedding(keeper, title="Kim & Lou", coordinators=[MARA], **tonight):
        run_id = october.rush(guest_site)
        stream = f"{october.url}{API}/stream/{run_id}"
        with httpx.stream("GET", stream, trust_env=False, timeout=20) as events:
            told = next(line for line in events.iter_lines() if line.startswith("data: "))
        october.stop(run_id)
    assert json.loads(told[6:])["tags"] == {
        "wedding_season": True,
        "wedding_peak_time": True,
        "estimated_wedding_load": 1,
    }
    assert "Kim" not in told
    assert "Mara" not in told


def test_whose_day_it_is_and_whom_to_call_is_told_to_those_who_keep_it(
    october: Stack, keeper: httpx.Client
) -> None:
    now = october.now().astimezone(UTC).replace(tzinfo=None, microsecond=0)
    times = {"starts_at": now.isoformat(), "ends_at": (now + HOUR).isoformat()}
    with wedding(keeper, title="Kim & Lou", venue="Old Mill", coordinators=[MARA], **times):
        [active] = keeper.get(f"{API}/weddings/active").json()["weddings"]
        assert (active["title"], active["venue"]) == ("Kim & Lou", "Old Mill")
        assert MARA.items() <= active["coordinators"][0].items()
        assert october.api.get("weddings/active").status_code == 403
        assert "Kim" not in json.dumps(october.ask_calendar("window", duration="PT1H"))


def test_a_list_of_weddings_is_kept_whole_or_not_at_all(keeper: httpx.Client) -> None:
    def kept() -> list[Any]:
        found: list[Any] = keeper.get(f"{API}/weddings", params={"source": "crm"}).json()[
            "weddings"
        ]
        return found

    sent = [
        {
            "title": f"Couple {day}",
            "zone": "Europe/London",
            "starts_at": f"2026-11-{day}T14:00:00",
            "ends_at": f"2026-11-{day}T22:00:00",
            "source": "crm",
            "uid": str(day),
        }
        for day in (10, 11, 12)
    ]
    wrong = keeper.post(f"{API}/weddings", json=[*sent, sent[0] | {"zone": "Mars"}])
    assert wrong.status_code == 400
    assert list(wrong.json()["errors"]) == ["3"]
    assert kept() == []
    made = keeper.post(f"{API}/weddings", json=sent)
    assert (made.status_code, made.json()["new"]) == (201, 3)
    assert [one["title"] for one in kept()] == ["Couple 10", "Couple 11", "Couple 12"]
    for one in kept():
        keeper.delete(f"{API}/weddings/{one['id']}").raise_for_status()


def test_windows_and_the_heat_map_leave_the_same_hours_out(
    october: Stack, keeper: httpx.Client
) -> None:
    times = {"starts_at": "2026-10-28T10:00:00Z", "ends_at": "2026-10-28T12:30:00Z"}
    hold = keeper.post(f"{API}/holds", json=times | {"reason": "Rehearsal"}).json()
    heat = october.ask_calendar("heat-map", weeks="1", zone="UTC")
    day = {"from": "2026-10-28T08:00:00Z", "to": "2026-10-28T16:00:00Z"}
    windows = october.ask_calendar("windows", duration="PT30M", **day)["windows"]
    keeper.delete(f"{API}/holds/{hold['id']}").raise_for_status()

    assert [window["end"][11:16] for window in windows] == ["09:59", "16:00"]  # a minute to stop
    assert windows[1]["start"] == "2026-10-28T12:30:00+00:00"
    hours = (datetime(2026, 10, 28, 8, tzinfo=UTC) - datetime.fromisoformat(heat["start"])) // HOUR
    safe = heat["hours"][hours : hours + 8]
    assert safe == pytest.approx([1, 59 / 60, 0, 0, 0.5, 1, 1, 1], abs=0.001)


def test_the_policy_says_what_is_in_force(october: Stack, keeper: httpx.Client) -> None:
    later = {"starts_at": "2026-11-03T14:00:00", "ends_at": "2026-11-03T22:00:00"}
    with wedding(keeper, zone="Asia/Kolkata", **later):
        policy = october.ask_calendar("policy")
    assert policy["zones"] == ["Asia/Kolkata", "Europe/London"]
    assert october.ask_calendar("policy")["zones"] == ["Europe/London"]
    told = {"buffer": "PT0S", "stop_time": "PT1M", "horizon": "P56D", "monday_hour": 8}
    assert told.items() <= policy.items()
    assert (policy["protected_weekdays"], policy["monday_zone"]) == (["Saturday"], "Europe/London")
    assert policy["season"]["months"] == [5, 6, 7, 8, 9, 10]
    assert policy["calendar"]["stale"] is False
