"""However hard a tool is at work, it is gone within three seconds of the wish to stop."""

import os
import signal
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.nginx import find_nginx, nginx
from tests.stories.stack import Stack, short_rush
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]
K6 = """
import http from 'k6/http';
export const options = { scenarios: { rush: {
  executor: 'constant-vus', vus: 20, duration: '60s', gracefulStop: '30s' } } };
export default function () { http.get(__ENV.TARGET); }
"""
LOCUST = """
from locust import FastHttpUser, constant, task
class Guest(FastHttpUser):
    wait_time = constant(0)
    @task
    def home(self):
        self.client.get("/")
"""
ARTILLERY = """
config:
  phases: [{ duration: 60, arrivalRate: 400, maxVusers: 500 }]
scenarios: [{ flow: [{ loop: [{ get: { url: "/" } }, { think: 0.2 }], count: 20 }] }]
"""
LEAST_RPS = 100  # each makes thousands where it has a core of its own


@pytest.fixture
def site() -> Iterator[str]:
    binary = find_nginx()
    if not binary:
        pytest.skip("nginx is not here; ./wedsync tools installs it")
    with nginx(binary) as address:
        yield address


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("k6", {"script": K6}),
        ("locust", {"script": LOCUST, "users": 50}),
        ("artillery", {"script": ARTILLERY}),
    ],
)
def test_a_stop_at_full_load_leaves_no_process_after_three_seconds(
    tuesday: Stack, site: str, tool: str, words: dict[str, object]
) -> None:
    run_id = load(tuesday, site, tool=tool, **words)
    asked = time.monotonic()
    tuesday.api.post(f"runs/{run_id}/stop").raise_for_status()
    until(lambda: not tuesday.tools(), within=3, what="the end of every process")
    run = tuesday.wait_for(run_id, within=3 - (time.monotonic() - asked))
    assert (run["state"], run["processes_left"]) == ("aborted", 0), run["verdict"]
    assert "engineer" in run["verdict"]["reason"]
    assert all(a["at"] < b["at"] for a, b in pairwise(tuesday.points(run_id)))
    assert run["totals"]["rps"] > LEAST_RPS


def test_the_verdict_stands_within_a_second_of_the_end_of_a_tool_at_full_speed(
    tuesday: Stack, site: str
) -> None:
    run_id = load(tuesday, site, tool="k6", script=K6.replace("'60s'", "'8s'"))
    until(lambda: not tuesday.tools(), within=20, what="the tool's end")
    assert tuesday.wait_for(run_id, within=1)["state"] == "passed"


def test_a_worker_that_is_killed_at_full_load_loses_its_run_but_leaves_no_tool(
    tuesday: Stack, site: str
) -> None:
    run_id = load(tuesday, site, tool="k6", script=K6)
    os.kill(tuesday.pid_of("runs@"), signal.SIGKILL)
    until(lambda: not tuesday.tools(), within=5, what="the end of the load")
    run = tuesday.wait_for(run_id, within=25)
    assert (run["state"], run["processes_left"]) == ("lost", 0)
    again = tuesday.wait_for(tuesday.start(site, script=short_rush(1)), within=60)
    assert again["state"] == "passed", again["verdict"]


def load(stack: Stack, site: str, **words: object) -> str:
    """A run whose tool has been at full speed for two seconds."""
    run_id = stack.start(site, duration="PT2M", **words)
    stack.wait_for(run_id, "running")
    until(lambda: len(stack.points(run_id)) > 2, within=20, what="full speed")
    assert stack.tools()
    return run_id
