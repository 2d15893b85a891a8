"""Tests that the clock starts, and tests that wait for each other: nobody presses a button."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from clock.iso import parse_instant
from tests.stories.people import API, logged_in, wedding
from tests.stories.stack import Stack, short_rush
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]
HOUR, AN_HOUR_AROUND = timedelta(hours=1), timedelta(minutes=30)


def schedule(stack: Stack, target: str, starts_at: datetime, **words: Any) -> dict[str, Any]:
    plan = stack.add_plan(target, name="The nightly rush", script=short_rush(3))
    asked = {"plan": plan, "starts_at": starts_at.isoformat(), "zone": "Europe/Berlin"}
    made = stack.api.post("schedules", json=asked | words)
    assert made.status_code == 201, made.text
    told: dict[str, Any] = made.json()
    return told


def read(stack: Stack, word: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = stack.api.get(f"schedules/{word['id']}").raise_for_status().json()
    return told


def test_a_scheduled_test_starts_by_itself(tuesday: Stack, guest_site: str) -> None:
    word = schedule(tuesday, guest_site, tuesday.now() + timedelta(seconds=4))
    assert tuesday.run(word["run"])["state"] == "scheduled"
    run = tuesday.wait_for(word["run"])
    assert run["state"] == "passed", run["verdict"]
    late = parse_instant(run["started_at"]) - parse_instant(run["scheduled_for"])
    assert timedelta(0) <= late < timedelta(seconds=20)
    ended = until(
        lambda: read(tuesday, word)["ended_why"], within=10, what="the end of the schedule"
    )
    assert ended == f"Run {run['id']} was its last."


def test_a_wedding_that_is_saved_before_it_skips_it_and_rolls_it_on(
    tuesday: Stack, guest_site: str
) -> None:
    start = tuesday.now() + 5 * HOUR
    word = schedule(tuesday, guest_site, start, rolls=True)
    with logged_in(tuesday, "coordinator") as keeper:
        draft = {"title": "Ada & Grace", "zone": "UTC", **local(start)}
        asked = keeper.post(f"{API}/weddings?preview=1", json=draft)
        assert asked.json()["would_stop"] == [{"run": word["run"], "label": "The nightly rush"}]
        with wedding(keeper, **local(start)):
            skipped = tuesday.wait_for(word["run"], within=10)
            assert skipped["verdict"]["outcome"] == "refused"
            assert skipped["verdict"]["reason"] == "1 active wedding in progress"
            rolled = until(lambda: read(tuesday, word)["run"], within=10, what="the rolled run")
            assert rolled != word["run"]
            then = parse_instant(tuesday.run(rolled)["scheduled_for"])
            assert then > start + AN_HOUR_AROUND
    tuesday.api.delete(f"schedules/{word['id']}").raise_for_status()
    assert tuesday.run(rolled)["state"] == "aborted"


def test_two_tests_of_one_site_wait_for_each_other_with_their_positions(
    tuesday: Stack, guest_site: str
) -> None:
    first = tuesday.start(guest_site, script=short_rush(6))
    second, third = (tuesday.start(guest_site, script=short_rush(2)) for _ in range(2))
    assert [tuesday.run(one)["state"] for one in (second, third)] == ["queued", "queued"]
    assert [tuesday.run(one)["queue_position"] for one in (second, third)] == [1, 2]
    runs = [tuesday.wait_for(one, within=60) for one in (first, second, third)]
    assert [run["state"] for run in runs] == ["passed"] * 3
    for before, after in zip(runs, runs[1:], strict=False):
        assert parse_instant(after["started_at"]) >= parse_instant(before["ended_at"])


def local(start: datetime) -> dict[str, str]:
    """A wedding of an hour around a start, on the wall clock of UTC."""
    ends = {"starts_at": start - AN_HOUR_AROUND, "ends_at": start + AN_HOUR_AROUND}
    return {name: f"{at:%Y-%m-%dT%H:%M:%S}" for name, at in ends.items()}
