"""A run may ask for several workers: they start together, are judged as one, and end together."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.stack import ROOT, Stack, running_stack
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]
AT = "2026-06-09T10:00:00+02:00"
SCRIPT = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { scenarios: { rush: {
  executor: 'constant-vus', vus: 7, duration: 'SECONDSs', gracefulStop: '2s' } } };
export function setup() { console.log('setup ran'); return { token: 'of the day' }; }
export default function (data) {
  if (data.token !== 'of the day') throw new Error('no token');
  http.get(`${__ENV.TARGET}/timeline`, { tags: { name: 'timeline' } });
  sleep(0.2);
}
export function teardown(data) { console.log(`teardown ran with ${data.token}`); }
"""


@contextlib.contextmanager
def more_workers(stack: Stack, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Started as the stack's own, each under a name of its own."""
    first = next(pid for pid in stack.processes() if b"runs@" in read(pid, "cmdline"))
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


def read(pid: int, file: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""


def tools(stack: Stack) -> list[int]:
    return [pid for pid in stack.processes() if b"archive.tar" in read(pid, "cmdline")]


def test_three_workers_carry_one_run_and_one_that_is_killed_ends_it(
    tmp_path: Path, guest_site: str
) -> None:
    with running_stack(tmp_path, AT) as stack, more_workers(stack, 2) as workers:
        words = {"script": SCRIPT.replace("SECONDS", "5"), "shards": 3}
        run = stack.wait_for(stack.start(guest_site, **words), within=90)
        assert run["state"] == "passed", (run["verdict"], run["log_tail"])
        told = stack.api.get(f"runs/{run['id']}/metrics").raise_for_status().json()["points"]
        assert sum(second["requests"] for second in told) == run["totals"]["requests"]
        assert run["totals"]["users"] == 7
        assert run["log_tail"].count("setup ran") == 1
        assert run["log_tail"].count("teardown ran with of the day") == 1
        assert "no token" not in run["log_tail"]
        assert run["processes_left"] == 0

        words["script"] = SCRIPT.replace("SECONDS", "50")
        run_id = stack.start(guest_site, **words)
        stack.wait_for(run_id, "running", within=60)
        until(lambda: len(tools(stack)) == 3, within=10, what="three tools at work")
        os.kill(workers[0].pid, signal.SIGKILL)
        until(lambda: not tools(stack), within=8, what="the end of all three tools")
        run = stack.wait_for(run_id, within=30)
        # It carried a shard, or it conducted as well: then nobody was left to say more.
        ends = {"errored": "went silent, so all were stopped", "lost": "went silent"}
        assert ends[run["state"]] in run["verdict"]["reason"]
        assert run["processes_left"] == 0
