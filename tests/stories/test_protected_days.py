"""No test may hurt a wedding: on a Saturday, into a Saturday, or when one begins meanwhile."""

import asyncio
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from clock.iso import parse_instant
from tests.stories.people import logged_in
from tests.stories.stack import Stack, running_stack, short_rush
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
    tmp_path: Path, guest_site: str
) -> None:
    with running_stack(tmp_path, "2026-06-12T22:30:00+01:00") as friday:
        answer = friday.ask(guest_site, duration="PT2H")
        assert answer.status_code == 409
        assert "Saturday" in answer.json()["blockers"][0]["what"]
        assert answer.json()["next_safe_window"]["start"] == "2026-06-15T07:00:00+00:00"
        assert friday.run(answer.json()["run"])["state"] == "refused"
        assert friday.wait_for(friday.start(guest_site))["state"] == "passed"


def test_a_wedding_that_begins_during_a_run_stops_it_within_five_seconds(
    tuesday: Stack, guest_site: str
) -> None:
    run_id = tuesday.start(guest_site, script=short_rush(40))
    started = parse_instant(tuesday.wait_for(run_id, "running")["started_at"])
    before = set(tuesday.processes())
    save_wedding(tuesday, starts=started + timedelta(hours=1))
    run = tuesday.wait_for(run_id, within=5)
    assert run["state"] == "aborted"
    assert run["verdict"]["reason"].startswith("Stopped by calendar: 1 active wedding in progress")
    assert run["processes_left"] == 0
    until(lambda: len(set(tuesday.processes())) < len(before), within=2, what="the tool's end")
    assert run["totals"]["requests"] > 0
    delete_weddings(tuesday)


def local(field: str, at: datetime) -> dict[str, str]:
    return {f"{field}_0": f"{at:%Y-%m-%d}", f"{field}_1": f"{at:%H:%M}"}


def save_wedding(stack: Stack, starts: datetime) -> None:
    with logged_in(stack, "coordinator") as client:
        answer = client.post(
            "/admin/calendar_guard/wedding/add/",
            data={
                "title": "Anna and Ben",
                "venue": "Old Mill",
                "zone": "Etc/UTC",
                **local("starts_local", starts),
                **local("ends_local", starts + timedelta(hours=6)),
                "setup": "02:00:00",
                "teardown": "01:00:00",
                "status": "confirmed",
                "Wedding_coordinators-TOTAL_FORMS": "0",
                "Wedding_coordinators-INITIAL_FORMS": "0",
            },
        )
        assert "This stops 1 running test" in answer.text, answer.text
        carried = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text)
        seen = re.findall(r'name="_stops" value="([^"]*)"', answer.text)
        yes = dict(carried) | {"_stops": seen[0]}
        answer = client.post("/admin/calendar_guard/wedding/add/", data=yes)
        assert answer.url.path == "/admin/calendar_guard/wedding/", answer.text


def delete_weddings(stack: Stack) -> None:
    with logged_in(stack, "coordinator") as client:
        page = client.get("/admin/calendar_guard/wedding/").text
        ids = [part.partition('"')[0] for part in page.split('name="_selected_action" value="')[1:]]
        answer = client.post(
            "/admin/calendar_guard/wedding/",
            data={
                "action": "delete_selected",
                "_selected_action": ids,
                "post": "yes",
            },
        )
        assert 'name="_selected_action" value="' not in answer.text
