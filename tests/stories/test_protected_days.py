"""No test may hurt a wedding: on a Saturday, into a Saturday, or when one begins meanwhile."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from clock.iso import parse_instant
from tests.stories.people import logged_in, wedding
from tests.stories.stack import Stack, short_rush
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]


def test_a_saturday_refuses_a_test_with_the_next_safe_window(saturday: Stack) -> None:
    answer = saturday.ask("http://127.0.0.1:9000")
    problem = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Saturday wedding day protection" in problem["detail"]
    assert problem["blockers"][0]["rule"] == "protected_weekday"
    assert problem["next_safe_window"]["start"] == "2026-06-15T07:00:00+00:00"
    assert saturday.run(problem["run"])["state"] == "refused"
    start = problem["next_safe_window"]["start"].replace("+", "%2B")
    then = httpx.get(f"{saturday.url}/api/load-testing/window?duration=PT1M&at={start}").json()
    assert then["safe"] is True


def test_a_saturday_refuses_to_stream(saturday: Stack) -> None:
    async def subscribe() -> tuple[list[dict[str, Any]], int | None]:
        seen = []
        async with connect(f"ws://localhost:{saturday.port}", proxy=None) as socket:
            await socket.send('{"subscribe":"loadtest_metrics","testId":"1"}')
            try:
                async for text in socket:
                    seen.append(json.loads(text))
            except ConnectionClosed:
                pass
            return seen, socket.close_code

    seen, code = asyncio.run(asyncio.wait_for(subscribe(), 20))
    assert seen[0]["type"] == "hello"
    assert seen[0]["verdict"]["safe"] is False
    assert seen[-1]["type"] == "refused"
    assert "Saturday wedding day protection" in seen[-1]["reason"]
    assert seen[-1]["next_safe_window"]["start"] == "2026-06-15T07:00:00+00:00"
    assert code == 4409
    events = httpx.get(f"{saturday.url}/api/load-testing/stream/1")
    assert events.status_code == 409
    assert "Saturday wedding day protection" in events.json()["detail"]


def test_a_run_that_would_reach_into_saturday_is_refused_and_a_shorter_one_runs(
    october: Stack, guest_site: str
) -> None:
    answer = october.ask(guest_site, duration="PT20H")
    assert answer.status_code == 409
    assert "Saturday" in answer.json()["blockers"][0]["what"]
    assert answer.json()["next_safe_window"]["start"] == "2026-10-26T08:00:00+00:00"
    assert october.run(answer.json()["run"])["state"] == "refused"
    assert october.wait_for(october.start(guest_site))["state"] == "passed"


def test_a_wedding_that_begins_during_a_run_stops_it_within_five_seconds(
    tuesday: Stack, guest_site: str
) -> None:
    run_id = tuesday.start(guest_site, script=short_rush(40))
    started = parse_instant(tuesday.wait_for(run_id, "running")["started_at"])
    before = set(tuesday.processes())
    local = {
        "starts_at": f"{started + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "ends_at": f"{started + timedelta(hours=7):%Y-%m-%dT%H:%M}",
    }
    with logged_in(tuesday, "coordinator") as keeper, wedding(keeper, setup="PT2H", **local):
        run = tuesday.wait_for(run_id, within=5)
    assert run["state"] == "aborted"
    assert run["verdict"]["reason"].startswith("Stopped by calendar: 1 active wedding in progress")
    assert run["processes_left"] == 0
    until(lambda: len(set(tuesday.processes())) < len(before), within=2, what="the tool's end")
    assert run["totals"]["requests"] > 0
