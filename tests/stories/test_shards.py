"""A run may ask for several workers: they start together, are judged as one, and end together."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runs.tools import tool_names
from tests.runs.tools.local import serve, tool_here
from tests.stories.stack import ROOT, Stack, read, running_stack
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]
SCRIPT = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = {
  scenarios: { rush: {
    executor: 'constant-vus', vus: 7, duration: 'SECONDSs', gracefulStop: '2s' } },
  thresholds: {
    http_reqs: ['count>100'],
    'http_req_duration{name:timeline}': ['p(95)<5000'],
    'http_req_failed{scenario:rush}': ['rate<0.01'],
  },
};
export function setup() { console.log('setup ran'); return { token: 'of the day' }; }
export default function (data) {
  if (data.token !== 'of the day') throw new Error('no token');
  http.get(`${__ENV.TARGET}/timeline`, { tags: { name: 'timeline' } });
  sleep(0.2);
}
export function teardown(data) { console.log(`teardown ran with ${data.token}`); }
"""
ARRIVALS = """
config:
  phases:
    - { duration: 3, arrivalRate: 12, maxVusers: 30 }
    - { duration: 1, arrivalCount: 10, maxVusers: 30 }
scenarios:
  - flow: [{ get: { url: "/{{ $testId }}", name: "rsvp" } }]
"""
# A shape that counts the users there are, and a class of which each shard alone could have three.
EVENING = """
import os
from locust import HttpUser, LoadTestShape, constant_pacing, task

class Guest(HttpUser):
    wait_time = constant_pacing(0.25)
    @task
    def look(self):
        self.client.get(f"/{os.getpid()}", name="guest")

class Host(HttpUser):
    fixed_count = 1
    wait_time = constant_pacing(0.25)
    @task
    def look(self):
        self.client.get(f"/{os.getpid()}", name="host")

class Evening(LoadTestShape):
    all_came_at = None
    def tick(self):
        if self.all_came_at is None and self.get_current_user_count() == 7:
            self.all_came_at = self.get_run_time()
        is_over = self.all_came_at is not None and self.get_run_time() > self.all_came_at + 3
        return None if is_over else (7, 50)
"""


@contextlib.contextmanager
def more_workers(stack: Stack, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Started as the stack's own, each under a name of its own."""
    first = stack.pid_of("runs@")
    argv = [word.decode() for word in read(first, "cmdline").split(b"\0") if word]
    pairs = [word.decode().split("=", 1) for word in read(first, "environ").split(b"\0") if word]
    env = {pair[0]: pair[1] for pair in pairs}
    log = (stack.home / "workers.txt").open("wb")
    started = [
        subprocess.Popen(
            [word.replace("runs@", f"more{number}@") for word in argv],
            cwd=ROOT,
            env=env,
            stdout=log,
            stderr=log,
        )
        for number in range(count)
    ]
    try:
        yield started
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait(15)
        log.close()


def tools(stack: Stack) -> list[int]:
    """Without their wardens, which are started with the same words."""
    lines = ((pid, read(pid, "cmdline")) for pid in stack.processes())
    return [pid for pid, line in lines if b"archive.tar" in line and b"launcher.py" not in line]


def carry(stack: Stack, tool: str, script: str, *thresholds: str) -> tuple[dict[str, Any], int]:
    """A passed run on three workers that began together, and how many requests the site saw."""
    with serve() as site:
        words = {"script": script, "thresholds": thresholds, "duration": "PT20S", "users": 7}
        run_id = stack.start(site.url, tool=tool, shards=3, **words)
        until(lambda: bool(site.paths), within=60, what=f"the first request of {tool}")
        until(lambda: len({*site.paths}) == 3, within=1, what="the first of each shard", every=0.02)
        run = stack.wait_for(run_id, within=40)
    assert run["state"] == "passed", (run["verdict"], run["log_tail"])
    assert run["processes_left"] == 0
    assert len({*site.paths}) == 3
    return run, len(site.paths)


def test_three_workers_carry_one_run_of_each_tool_and_one_that_is_killed_ends_it(
    tmp_path: Path, guest_site: str
) -> None:
    for name in tool_names():
        tool_here(name)
    with running_stack(tmp_path) as stack, more_workers(stack, 2) as workers:
        words = {"script": SCRIPT.replace("SECONDS", "5"), "shards": 3}
        run = stack.wait_for(stack.start(guest_site, **words), within=90)
        assert run["state"] == "passed", (run["verdict"], run["log_tail"])
        told = stack.points(run["id"])
        assert sum(second["requests"] for second in told) == run["totals"]["requests"]
        assert run["totals"]["users"] == 7
        assert run["log_tail"].count("setup ran") == 1
        assert run["log_tail"].count("teardown ran with of the day") == 1
        assert "no token" not in run["log_tail"]
        assert run["processes_left"] == 0
        # No shard alone made 100 requests, and none kept its samples apart by scenario.
        assert {check["text"]: check["held"] for check in run["verdict"]["checks"]} == {
            "k6: http_req_duration{name:timeline} p(95)<5000": True,
            "k6: http_req_failed{scenario:rush} rate<0.01 "
            "(samples of http_req_failed are not kept apart by scenario)": None,
            "k6: http_reqs count>100": True,
        }

        run, seen = carry(stack, "artillery", ARRIVALS, "requests < 46", "requests > 46")
        assert run["totals"]["requests"] == seen == 46

        run, seen = carry(stack, "locust", EVENING, "users < 7", "users > 7")
        assert run["totals"]["requests"] == seen
        assert run["totals"]["users"] == 7
        made = {each["name"]: each["requests"] for each in run["endpoints"]}
        assert made["guest"] / made["host"] == pytest.approx(6, rel=0.2)

        words["script"] = SCRIPT.replace("SECONDS", "50")
        run_id = stack.start(guest_site, **words)
        stack.wait_for(run_id, "running", within=60)
        until(lambda: len(tools(stack)) == 3, within=10, what="three tools at work")
        os.kill(workers[0].pid, signal.SIGKILL)
        until(lambda: not tools(stack), within=5, what="the end of all three tools")
        run = stack.wait_for(run_id, within=30)
        # It carried a shard, or it conducted as well: then nobody was left to say more.
        ends = {"errored": "went silent, so all were stopped", "lost": "went silent"}
        assert ends[run["state"]] in run["verdict"]["reason"]
        assert run["processes_left"] == 0
