"""The same story with each real tool, against a tiny site on loopback."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from runs.tools import Tool, ToolProblem
from tests.runs.tools.local import LocalRun, Site, job_of, tool_here

pytestmark = pytest.mark.tool

K6_SCRIPT = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { scenarios: { guests: {
  executor: 'constant-vus', vus: Number(__ENV.USERS || 1), duration: '2s', gracefulStop: '1s' } } };
export default function () {
  http.get(`${__ENV.TARGET}/home`, { tags: { name: 'home' } });
  http.get(`${__ENV.TARGET}/bad?token=1`);
  sleep(0.1);
}
"""
LOCUST_SCRIPT = """
from locust import HttpUser, constant, task

class Guest(HttpUser):
    wait_time = constant(0.1)

    @task
    def look(self):
        self.client.get("/home", name="home")
        self.client.get("/bad?token=1")
"""
ARTILLERY_SCRIPT = """
config:
  target: "http://nowhere.example"
  phases: [{duration: 1, arrivalCount: 2}]
scenarios:
  - flow:
      - loop:
        - get: {url: "/home", name: home}
        - get: {url: "/bad?token=1"}
        - think: "100ms"
        count: 20
"""


@dataclass(frozen=True)
class Case:
    tool: Tool
    script: str
    code_at_stop: int
    kind_at_stop: str

    @property
    def broken(self) -> str:
        return self.script + "\n)))\n"


CASES = {
    "artillery": (ARTILLERY_SCRIPT, 143, "stopped"),
    "k6": (K6_SCRIPT, 105, "stopped"),
    "locust": (LOCUST_SCRIPT, 0, "finished"),
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return Case(tool_here(request.param), *CASES[request.param])


def test_a_tool_makes_no_request_before_go_and_then_runs_to_its_end(
    case: Case, site: Site, tmp_path: Path
) -> None:
    job = job_of(case.tool, case.script, tmp_path, target=site.url, seconds=6, users=2)
    with LocalRun(case.tool, job) as run:
        run.wait_until_ready()
        waited_until = time.monotonic() + 1.0
        while time.monotonic() < waited_until:
            run.read(0.1)
        assert site.paths == []
        run.go()
        code = run.read_to_end()
    totals = run.aggregator.totals()
    assert totals.requests == len(site.paths) > 10
    assert 0 < totals.errors <= totals.requests / 2 + 2
    assert totals.users == 2
    assert totals.quantile_ms(0.5) is not None
    bad = f"GET {site.url}/bad" if case.tool.name == "k6" else "GET /bad"
    assert {endpoint.name for endpoint in run.aggregator.endpoints()} == {"home", bad}
    assert case.tool.explain(code, run.stderr).kind == "finished"
    assert (run.reader.garbage, run.reader.dropped) == (0, 0)
    assert run.prepared is not None
    assert run.prepared.version[0].isdigit()


def test_a_tool_that_is_told_to_stop_ends_in_time_with_its_samples(
    case: Case, site: Site, tmp_path: Path
) -> None:
    job = job_of(case.tool, case.script, tmp_path, target=site.url, seconds=60)
    with LocalRun(case.tool, job) as run:
        run.wait_until_ready()
        run.go()
        run.read_until_samples()
        run.process.send_signal(signal.SIGTERM)
        code = run.read_to_end(seconds=5)
    assert code == case.code_at_stop
    assert case.tool.explain(code, run.stderr).kind == case.kind_at_stop
    assert abs(run.aggregator.totals().requests - len(site.paths)) <= 2


def test_a_waiting_tool_ends_when_told_to(case: Case, site: Site, tmp_path: Path) -> None:
    job = job_of(case.tool, case.script, tmp_path, target=site.url)
    with LocalRun(case.tool, job) as run:
        run.wait_until_ready()
        run.process.send_signal(signal.SIGTERM)
        code = run.read_to_end(seconds=5)
    assert site.paths == []
    assert case.tool.explain(code, run.stderr).kind == "stopped"


def test_a_dead_target_is_all_errors_without_latencies(case: Case, tmp_path: Path) -> None:
    job = job_of(case.tool, case.script, tmp_path, seconds=5)
    with LocalRun(case.tool, job) as run:
        run.run_whole()
    totals = run.aggregator.totals()
    assert totals.requests == totals.errors > 0
    assert totals.quantile_ms(0.95) is None


def test_a_script_with_a_syntax_error_is_refused_in_the_tools_own_words(
    case: Case, tmp_path: Path
) -> None:
    run = LocalRun(case.tool, job_of(case.tool, case.broken, tmp_path))
    with pytest.raises(
        ToolProblem, match=r"cannot load the script: .*(Unexpected|SyntaxError|line 14)"
    ) as e:
        case.tool.prepare(run.job, run.shell)
    assert e.value.code == "script_invalid"
    assert str(tmp_path) not in str(e.value)


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("artillery", ARTILLERY_SCRIPT),
        ("k6", K6_SCRIPT),
        ("locust", LOCUST_SCRIPT),
        ("locust", LOCUST_SCRIPT.replace("HttpUser", "FastHttpUser")),
    ],
)
def test_a_tool_reaches_no_denied_address(
    site: Site, tmp_path: Path, name: str, script: str
) -> None:
    tool = tool_here(name)
    job = job_of(tool, script, tmp_path, target=site.url, deny=("127.0.0.0/8",))
    with LocalRun(tool, job) as run:
        run.run_whole()
    totals = run.aggregator.totals()
    assert site.paths == []
    assert totals.requests == totals.errors > 0


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize(
    ("name", "script", "within"),
    [("artillery", ARTILLERY_SCRIPT, 5.0), ("locust", LOCUST_SCRIPT, 3.0)],
)
def test_a_tool_with_our_tap_dies_with_its_supervisor(
    site: Site, tmp_path: Path, name: str, script: str, within: float, waits: bool
) -> None:
    tool = tool_here(name)
    job = job_of(tool, script, tmp_path, target=site.url, seconds=60)
    with LocalRun(tool, job) as run:
        run.wait_until_ready()
        if not waits:
            run.go()
            run.read_until_samples()
        run.close_go()
        assert run.read_to_end(seconds=within) == 3
    assert bool(site.paths) is not waits
