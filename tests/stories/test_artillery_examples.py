"""Artillery's features, in projects of several files: through the product each ends as by hand.

The projects are the folders of tests/stories/artillery; Artillery's own examples use the same.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runs.tools import ToolProblem
from runs.tools.artillery import installed
from tests.stories.serving import serving
from tests.stories.stack import Stack
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]
# A machine of five processors, as Artillery sees it: all but one of them become its workers.
MANY_WORKERS = """
const os = require("node:os");
const { isMainThread } = require("node:worker_threads");
const [one] = os.cpus();
os.cpus = () => Array(5).fill(one);
if (!isMainThread) console.log("a worker is here");
module.exports = { Plugin: class {} };
"""
RUSH = """
config:
  plugins: { many: {} }
  phases: [{ duration: 20, arrivalRate: 200, maxVusers: 1000 }]
scenarios:
  - flow: [{ get: { url: /menu } }, { think: 1 }, { get: { url: /menu } }]
"""
PROJECTS = Path(__file__).with_name("artillery")


@dataclass(frozen=True)
class Project:
    """A script of a folder, the options by hand, and the same as variables of a run."""

    folder: str
    script: str
    code: int
    options: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return PROJECTS / self.folder

    @property
    def environment(self) -> dict[str, str]:
        found = self.variables.items()
        return {name: value for name, value in found if not name.startswith("ARTILLERY_")}

    @property
    def files(self) -> dict[str, str]:
        found = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)): path.read_text() for path in found}


FOLDERS = Project(
    "folders",
    "scenarios/rush.yml",
    0,
    ("--config", "config/common.yml", "--environment", "wedding"),
    {
        "ARTILLERY_CONFIG": "config/common.yml",
        "ARTILLERY_ENVIRONMENT": "wedding",
        "GUESTS": "4",
        "SEASON": "peak",
    },
)
STRICT = Project(
    "strict", "test.json", 1, ("--dotenv", "of-the-day.env"), {"ARTILLERY_DOTENV": "of-the-day.env"}
)
PROMISES = Project("promises", "test.yml", 21)
CHAT = Project("chat", "test.yml", 0)
DANCE = Project("dance", "test.yml", 0)
ENGINE = Project("engine", "test.yml", 0)
ALL = (FOLDERS, STRICT, PROMISES, CHAT, DANCE, ENGINE)


@dataclass(frozen=True)
class ByHand:
    code: int
    output: str
    counters: dict[str, int]

    @property
    def checks(self) -> dict[str, bool | None]:
        """What ensure said, as a run's checks tell it: an optional one that failed has no say."""
        found = re.findall(r"^(ok|fail): (.*)$", self.output, re.M)
        return {
            f"artillery: {text}": True if said == "ok" else None if "(optional)" in text else False
            for said, text in found
        }

    def of(self, *prefixes: str) -> dict[str, int]:
        return {name: n for name, n in self.counters.items() if n and name.startswith(prefixes)}


Both = dict[str, tuple[dict[str, Any], ByHand]]


@pytest.fixture(scope="module")
def sites() -> Iterator[dict[str, str]]:
    """One site at a port for each project: tests of one site wait for each other."""
    with serving("tests.stories.site:app", len(ALL)) as urls:
        yield {project.folder: url for project, url in zip(ALL, urls, strict=True)}


@pytest.fixture(scope="module")
def entry() -> Path:
    try:
        return installed.find()
    except ToolProblem as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def runs(
    tuesday: Stack, entry: Path, sites: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """Each project as a run of the product and by hand, at the same time."""
    ids = {project.folder: start(tuesday, project, sites) for project in ALL}
    reports = tmp_path_factory.mktemp("by-hand")
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda one: run_by_hand(entry, one, sites[one.folder], reports), ALL)
        hands = {project.folder: hand for project, hand in zip(ALL, found, strict=True)}
    return {
        name: (tuesday.wait_for(run_id, within=90), hands[name]) for name, run_id in ids.items()
    }


def start(stack: Stack, project: Project, sites: dict[str, str]) -> str:
    return stack.start(
        sites[project.folder],
        name=project.folder,
        tool="artillery",
        script=(project.path / project.script).read_text(),
        files=project.files,
        variables=project.variables,
        duration="PT30S",
    )


def run_by_hand(entry: Path, project: Project, site: str, reports: Path) -> ByHand:
    """In a copy: Artillery writes what it bundles beside its source."""
    folder, report = reports / project.folder, reports / f"{project.folder}.json"
    shutil.copytree(project.path, folder)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(reports),
        "ARTILLERY_DISABLE_TELEMETRY": "1",
        "ARTILLERY_PLUGIN_PATH": str(folder),
        "NODE_PATH": str(folder),
    }
    argv = [str(installed.node(entry)), str(entry), "run", "--target", site]
    done = subprocess.run(
        [*argv, "--output", str(report), *project.options, project.script],
        cwd=folder,
        env=env | project.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    counters = json.loads(report.read_text())["aggregate"]["counters"]
    return ByHand(done.returncode, done.stdout, counters)


def endpoints(run: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """How many requests and how many errors each has."""
    return {found["name"]: (found["requests"], found["errors"]) for found in run["endpoints"]}


def counters(run: dict[str, Any], *prefixes: str) -> dict[str, int]:
    found = {metric["name"]: metric for metric in run["metrics"]}
    return {name: m["total"] for name, m in found.items() if name.startswith(prefixes)}


@pytest.mark.parametrize("project", ALL, ids=lambda project: project.folder)
def test_a_project_of_artillerys_ends_through_the_product_as_by_hand(
    runs: Both, project: Project
) -> None:
    run, hand = runs[project.folder]
    assert (run["exit_code"], hand.code) == (project.code, project.code), run["log_tail"]
    outcome = "passed" if project.code == 0 else "failed"
    assert run["verdict"]["outcome"] == outcome, run["verdict"]["reason"]
    assert {check["text"]: check["held"] for check in run["verdict"]["checks"]} == hand.checks
    same = ("vusers.completed", "vusers.failed", "errors.", "plugins.expect.", "greeted", "ours.")
    assert counters(run, *same) == hand.of(*same)


def test_a_script_in_a_folder_finds_its_files_and_tells_endpoints_as_written(runs: Both) -> None:
    run, hand = runs["folders"]
    users = hand.counters["vusers.completed"]
    assert endpoints(run) == {
        "POST /login": (users, 0),
        "GET /menu/{{ course }}": (2 * users, 0),
        "POST /photo": (users, 0),
    }


def test_web_sockets_are_counted_by_connection_and_message(runs: Both) -> None:
    assert endpoints(runs["chat"][0]) == {
        "ws connect /chat": (3, 0),
        "ws send /chat": (12, 3),
    }


def test_socket_io_is_counted_by_connection_event_and_what_http_it_asks(runs: Both) -> None:
    assert endpoints(runs["dance"][0]) == {
        "GET /hall/{{ $uuid }}": (3, 0),
        "socketio connect /": (3, 0),
        "socketio connect /hall": (3, 0),
        "socketio emit wish": (3, 0),
        "socketio emit /hall tell": (3, 0),
        "socketio emit nothing": (3, 3),
    }


def test_an_engine_that_nobody_knows_has_its_sessions_counted_and_the_run_says_so(
    runs: Both,
) -> None:
    run, _ = runs["engine"]
    assert endpoints(run) == {"session": (4, 0)}
    assert "each user's session is counted as one request" in run["log_tail"]
    assert counters(run, "bell.") == {"bell.rung": 12}


@pytest.mark.usefixtures("entry")
def test_stop_ends_artillery_and_all_of_its_workers_at_full_load(
    tuesday: Stack, sites: dict[str, str]
) -> None:
    plugin = {"package.json": '{"main": "index.js"}', "index.js": MANY_WORKERS}
    files = {f"artillery-plugin-many/{name}": text for name, text in plugin.items()}
    words: dict[str, Any] = {"tool": "artillery", "script": RUSH, "files": files}
    run_id = tuesday.start(sites["engine"], **words)
    tuesday.wait_for(run_id, "running")
    until(lambda: was_asked(tuesday, run_id, 400), within=20, what="full load")
    tuesday.api.post(f"runs/{run_id}/stop").raise_for_status()
    run = tuesday.wait_for(run_id, within=6)
    assert (run["state"], run["processes_left"], run["exit_code"]) == ("aborted", 0, 143)
    assert run["log_tail"].count("a worker is here") == 4


def was_asked(stack: Stack, run_id: str, times: int) -> bool:
    totals = stack.run(run_id)["totals"]
    return bool(totals) and totals["requests"] >= times
