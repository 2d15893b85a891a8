"""An engineer asks for a load test on a quiet Tuesday, and sees its effect at once."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.stories.stack import Stack

pytestmark = [pytest.mark.live, pytest.mark.tool]
FIELDS = [
    *("seq", "at", "final", "requests", "rps", "errors", "error_rate"),
    *("p50_ms", "p95_ms", "p99_ms", "users", "tags"),
]


@pytest.mark.parametrize("tool", ["k6", "locust", "artillery"])
def test_a_run_on_a_quiet_tuesday_passes_and_its_history_stays(
    tuesday: Stack, guest_site: str, tool: str
) -> None:
    words: dict[str, Any] = {"tool": tool, "thresholds": ["p95 > 2s", "errors > 1%"]}
    if tool == "locust":
        script = (
            "from locust import FastHttpUser, constant, task\n"
            "class Guest(FastHttpUser):\n"
            "    wait_time = constant(0.1)\n"
            "    @task\n"
            "    def timeline(self): self.client.get('/timeline', name='timeline')\n"
        )
        words |= {"script": script, "users": 3, "duration": "PT8S"}
    if tool == "artillery":
        phases = "[{duration: 3, arrivalCount: 30}]"
        scenario = "{flow: [{get: {url: /timeline, name: timeline}}]}"
        script = f"{{config: {{target: x, phases: {phases}}}, scenarios: [{scenario}]}}"
        words |= {"script": script, "duration": "PT12S"}
    run = tuesday.wait_for(tuesday.start(guest_site, **words))
    assert run["state"] == "passed", run["verdict"]
    assert run["processes_left"] == 0
    assert run["calendar"]["reason"] == "No active weddings detected"
    points = tuesday.points(run["id"])
    assert sum(point["requests"] for point in points) == run["totals"]["requests"] > 20
    assert {point["at"][:10] for point in points} == {"2026-06-09"}
    assert [check["held"] for check in run["verdict"]["checks"]] == [True, True]


def test_wscat_by_hand_sees_metrics(tuesday: Stack, guest_site: str) -> None:
    async def listen() -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        async with connect(f"ws://localhost:{tuesday.port}", proxy=None) as socket:
            async for text in socket:
                seen.append(json.loads(text))
                if seen[-1]["type"] == "run_ended":
                    break
        return seen

    run_id = tuesday.start(guest_site)
    seen = asyncio.run(asyncio.wait_for(listen(), 40))
    assert seen[0]["type"] == "hello"
    assert set(seen[0]) == {"type", "verdict", "running"}
    assert run_id in seen[0]["running"]
    updates = [message for message in seen if message["type"] == "metrics_update"]
    assert {message["testId"] for message in updates} == {run_id}
    assert list(updates[0]["data"]) == FIELDS
    assert seen[-1]["testId"] == run_id
    assert seen[-1]["verdict"]["outcome"] == "passed"


def test_server_sent_events_tell_every_second_and_resume(tuesday: Stack, guest_site: str) -> None:
    run_id = tuesday.start(guest_site)
    finals, ids = [], []
    with httpx.stream("GET", f"{tuesday.url}/api/load-testing/stream/{run_id}") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        for line in events.iter_lines():
            if line.startswith("id: "):
                ids.append(int(line[4:]))
            if line.startswith("data: ") and '"final":true' in line:
                finals.append(json.loads(line[6:]))
    assert ids == sorted(set(ids))
    seconds = [point["at"] for point in finals]
    assert len(seconds) == len(set(seconds)) >= 4
    kept = tuesday.points(run_id)
    assert [point["seq"] for point in kept] == [point["seq"] for point in finals]
    since = {"Last-Event-ID": str(finals[1]["seq"])}
    late = httpx.get(f"{tuesday.url}/api/load-testing/stream/{run_id}", headers=since).text
    again = [json.loads(line[6:]) for line in late.splitlines() if '"final":true' in line]
    assert again == finals[2:]
    assert "event: run_ended" in late


def test_the_calendar_is_asked_without_side_effects(tuesday: Stack) -> None:
    first, second = (
        httpx.get(f"{tuesday.url}/api/load-testing/window?duration=PT30M").json() for _ in "12"
    )
    assert first["safe"] is second["safe"] is True
    assert first["next_safe_window"]["end"] == "2026-06-12T22:44:00+00:00"


def test_reading_is_open_here_but_starting_needs_the_token(tuesday: Stack) -> None:
    assert httpx.get(f"{tuesday.url}/api/load-testing/runs").status_code == 200
    refused = httpx.post(f"{tuesday.url}/api/load-testing/runs", json={})
    assert refused.status_code in {401, 403}
    assert "token" in refused.text


def test_a_dead_target_fails_and_says_so(tuesday: Stack) -> None:
    run = tuesday.wait_for(tuesday.start("http://127.0.0.1:9"))
    assert run["state"] == "failed"
    assert "requests failed" in run["verdict"]["reason"]


def test_a_broken_script_is_explained(tuesday: Stack, guest_site: str) -> None:
    run = tuesday.wait_for(tuesday.start(guest_site, script="export default function () {"))
    assert run["state"] == "errored"
    assert "Unexpected" in run["verdict"]["reason"] or "SyntaxError" in run["verdict"]["reason"]
