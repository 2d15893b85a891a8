"""Scripts that use what Artillery offers, run by the real one through the adapter."""

import json
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

import runs.tools.artillery
from runs.samples import REQUESTS
from runs.tools import Tool
from tests.runs.tools.local import LocalRun, Site, job_of, serve, tool_here
from tests.runs.tools.test_real_tools import ARTILLERY_SCRIPT

pytestmark = pytest.mark.tool

WHOLE = """
config:
  target: "http://nowhere.example"
  environments:
    wedding: {variables: {table: ["one", "two"]}}
  phases:
    - {duration: 1, arrivalCount: 4, name: early}
    - {pause: 1}
    - {duration: 1, arrivalRate: 1, rampTo: 3, maxVusers: 9, name: rush}
  payload: {path: guests.csv, fields: [guest], order: sequence}
  processor: ./processor.js
  plugins: {ensure: {}, expect: {}}
  ensure:
    thresholds: [{"http.response_time.p99": 5000}]
    conditions: [{expression: "vusers.failed == 0"}, {expression: "1 > 2", strict: false}]
before:
  flow: [{get: {url: "/before"}}]
after:
  flow: [{get: {url: "/after"}}]
scenarios:
  - name: reader
    weight: 9
    beforeRequest: mark
    flow:
      - get:
          url: "/list/{{ guest }}"
          capture: {regexp: "o.", as: word}
          expect: {statusCode: CODE}
      - loop: [{get: {url: "/read/{{ word }}/{{ table }}", name: read}}, {think: 0.1}]
        count: 3
      - function: count
  - name: writer
    weight: 1
    flow: [{post: {url: "/write", json: {guest: "{{ guest }}"}, ifTrue: "1 > 2"}}]
"""
HOOKS = ["before", "after"]
PROCESSOR = """
module.exports = {
  mark: (request, context, events, done) => {
    request.headers = { ...request.headers, "x-season": context.vars.season };
    done();
  },
  count: (context, events, done) => {
    events.emit("counter", "tables.found", 2);
    events.emit("histogram", "tables.size", 8);
    events.emit("rate", "tables.asked");
    done();
  },
};
"""


@pytest.fixture
def artillery() -> Tool:
    return tool_here("artillery")


def bring(workdir: Path) -> None:
    (workdir / "guests.csv").write_text("Ada\nNoor\n")
    (workdir / "processor.js").write_text(PROCESSOR)


def test_a_script_without_its_processor_ends_in_words(
    artillery: Tool, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "guests.csv").write_text("Ada\n")
    job = job_of(artillery, WHOLE.replace("CODE", "200"), tmp_path, target=site.url, seconds=20)
    with LocalRun(artillery, job) as run:
        ending = artillery.explain(run.run_whole(), run.stderr)
    assert ending.kind == "script_error"
    assert ending.sentence == "The script failed: Cannot find module 'processor.js'."


def test_what_a_whole_script_measures_is_told_with_its_names(
    artillery: Tool, site: Site, tmp_path: Path
) -> None:
    bring(tmp_path)
    job = job_of(artillery, WHOLE.replace("CODE", "200"), tmp_path, target=site.url, seconds=20)
    variables = {"table": "nine", "ARTILLERY_DOTENV": "no.env", "ARTILLERY_ENVIRONMENT": "none"}
    with LocalRun(artillery, replace(job, variables=variables)) as run:
        assert run.prepared is not None
        assert run.prepared.warnings[-2:] == (
            "Artillery warns: could not read dotenv file: no.env.",
            "Artillery warns: environment none is set but is not defined in the script.",
        )
        assert json.loads((tmp_path / "wedsync-plan.json").read_text())["hooks"] == HOOKS
        assert run.run_whole() == 0
    names = {endpoint.name for endpoint in run.aggregator.endpoints()}
    assert names == {"GET /list/{{ guest }}", "read"}
    assert {path.split("/")[1] for path in site.paths} == {"before", "list", "read", "after"}
    assert run.aggregator.totals().requests == len(site.paths) - 2  # the hooks' are no guests'
    metrics = {metric.name: metric for metric in run.aggregator.metrics()}
    readers = metrics["vusers.created_by_name.reader"].total  # the writers are drawn by lot
    assert metrics["tables.found"].total == 2 * readers
    assert (metrics["tables.size"].kind, metrics["tables.asked"].kind) == ("trend", "counter")
    held = {verdict.text: verdict.held for verdict in artillery.own_verdicts(job)}
    assert held == {
        "http.response_time.p99 < 5000": True,
        "vusers.failed == 0": True,
        "1 > 2 (optional)": None,
    }


def test_a_module_runs_like_any_other_script(artillery: Tool, site: Site, tmp_path: Path) -> None:
    script = (
        "const names: string[] = ['ada'];\n"
        "export const config = {target: 'http://x', phases: [{duration: 1, arrivalCount: 2}]};\n"
        "export const scenarios = [{flow: [{get: {url: `/${names[0]}`}}]}];\n"
    )
    job = job_of(artillery, script, tmp_path, target=site.url, seconds=20)
    with LocalRun(artillery, job) as run:
        assert run.run_whole() == 0, run.stderr
    assert site.paths == ["/ada", "/ada"]
    assert run.aggregator.totals().requests == 2


def wait_for_silence(run: LocalRun, seconds: float = 15) -> None:
    """By which a run is ended that nobody stops."""
    ends, told = time.monotonic() + seconds, -1
    while told != len(run.output):
        assert time.monotonic() < ends, "it still says that all is well"
        told = len(run.output)
        run.read(1.5)


def test_a_user_in_an_endless_loop_is_ended_like_any_other(
    artillery: Tool, site: Site, tmp_path: Path
) -> None:
    processor = "module.exports = { mark: () => { for (;;) {} }, count: () => {} };"
    bring(tmp_path)
    (tmp_path / "processor.js").write_text(processor)
    job = job_of(artillery, WHOLE.replace("CODE", "200"), tmp_path, target=site.url, seconds=20)
    with LocalRun(artillery, job) as run:
        run.wait_until_ready()
        run.go()
        while not any(path == "/before" for path in site.paths):
            run.read(0.1)
        wait_for_silence(run)
        run.process.send_signal(signal.SIGTERM)
        assert run.read_to_end(seconds=5) == 143


def test_a_script_that_leaves_its_process_ends_the_run_and_is_told_so(
    artillery: Tool, site: Site, tmp_path: Path
) -> None:
    bring(tmp_path)
    (tmp_path / "processor.js").write_text("process.exit();")
    script = WHOLE.replace("CODE", "200").replace("before:", "later:")
    job = job_of(artillery, script, tmp_path, target=site.url, seconds=20)
    with LocalRun(artillery, job) as run:
        ending = artillery.explain(run.run_whole(), run.stderr)
    assert ending.kind == "script_error"
    assert "process.exit() ended it, and all its users with it" in ending.sentence


NO_HOOK = """
if (global.artillery) {
  Object.defineProperty(global.artillery, "__SSMS", { get: () => undefined, set: () => {} });
}
module.exports = { Plugin: class {}, LEGACY_METRICS_FORMAT: false };
"""


def test_without_the_hook_figures_come_every_ten_seconds_and_it_says_so(
    artillery: Tool, site: Site, tmp_path: Path
) -> None:
    """The script's own plugin takes away what ours listens to, as a later Artillery may."""
    plugin = tmp_path / "artillery-plugin-nohook"
    plugin.mkdir()
    (plugin / "package.json").write_text('{"name": "artillery-plugin-nohook", "main": "a.js"}')
    (plugin / "a.js").write_text(NO_HOOK)
    script = ARTILLERY_SCRIPT.replace("config:", "config:\n  plugins: {nohook: {}}", 1)
    job = job_of(artillery, script, tmp_path, target=site.url, seconds=20)
    with LocalRun(artillery, job) as run:
        assert run.run_whole() == 0
    totals = run.aggregator.totals()
    assert totals.requests == len(site.paths) > 10
    assert totals.errors == totals.requests / 2
    assert {endpoint.name for endpoint in run.aggregator.endpoints()} == {"HTTP"}
    assert "figures come every 10 seconds" in run.stderr


@pytest.mark.parametrize("trusts", [True, False])
def test_a_script_made_for_another_host_finds_the_test_site_and_its_authority(
    artillery: Tool, authority: trustme.CA, ca: str, tmp_path: Path, trusts: bool
) -> None:
    script = "{config: {target: x, phases: [{duration: 1, arrivalCount: 2}]},\n"
    script += " scenarios: [{flow: [{get: {url: /}}]}]}\n"
    job = job_of(artillery, script, tmp_path, target="https://shop.example", seconds=20)
    (tmp_path / "ca.pem").write_text(ca)
    with serve(authority.issue_cert("shop.example")) as site:
        hosts = {"shop.example": f"127.0.0.1:{site.port}"}
        job = replace(job, hosts=hosts, ca=tmp_path / "ca.pem" if trusts else None)
        with LocalRun(artillery, job) as run:
            assert run.run_whole() == 0, run.stderr
    totals = run.aggregator.totals()
    assert (totals.requests, totals.errors) == (2, 0 if trusts else 2)


DEAF = """
process.env.WEDSYNC_CORE = "/nowhere";
module.exports = { Plugin: class {}, LEGACY_METRICS_FORMAT: false };
"""
NOBODY = "{config: {target: x, plugins: {PLUGINS}, phases: [{duration: 1, arrivalCount: 3}]},\n"
NOBODY += " scenarios: [{engine: ws, flow: [{send: hello}]}]}\n"


@pytest.mark.parametrize(("plugins", "name"), [("", "ws connect /"), ("deaf: {}", "session")])
def test_a_web_socket_that_nobody_answers_is_a_failure_without_latency(
    artillery: Tool, tmp_path: Path, plugins: str, name: str
) -> None:
    """Also where the engines are out of reach, as a later Artillery may keep them elsewhere."""
    plugin = tmp_path / "artillery-plugin-deaf"
    plugin.mkdir()
    (plugin / "index.js").write_text(DEAF)
    script = NOBODY.replace("PLUGINS", plugins)
    job = job_of(artillery, script, tmp_path, target="ws://127.0.0.1:1", seconds=20)
    with LocalRun(artillery, job) as run:
        assert run.run_whole() == 0
    totals = run.aggregator.totals()
    assert (totals.requests, totals.errors, totals.quantile_ms(0.5)) == (3, 3, None)
    assert {endpoint.name for endpoint in run.aggregator.endpoints()} == {name}
    assert ("cannot listen to the engines" in run.stderr) is (name == "session")


BEHIND = """
import { Sheet } from "./sheet.js";
const lines = [];
let isFull = true;
const sheet = new Sheet((word) => !isFull && Boolean(lines.push(JSON.stringify(word))));
for (let at = 0; at < 300_000; at += 1) {
  sheet.add("requests", "trend", `page ${at % 3}`, 200, at % 150_000);
}
sheet.flush();
isFull = false;
sheet.flush();
const longest = Math.max(...lines.map((line) => Buffer.byteLength(line)));
process.stdout.write(JSON.stringify({ lines, longest }));
"""


PLUGINS = Path(runs.tools.artillery.__file__).with_name("plugins")


def run_node(artillery: Tool, script: Path) -> Any:
    node = artillery.find().parents[3] / "bin" / "node"
    said = subprocess.run([str(node), str(script)], capture_output=True, check=True, timeout=60)
    return json.loads(said.stdout)


def test_a_reader_that_is_far_behind_never_blocks_artillery_and_knows_what_it_missed(
    artillery: Tool, tmp_path: Path
) -> None:
    shutil.copytree(PLUGINS / "artillery-plugin-wedsync-tap", tmp_path / "tap")
    (tmp_path / "tap" / "behind.js").write_text(BEHIND)
    told = run_node(artillery, tmp_path / "tap" / "behind.js")
    reader = artillery.reader()
    batch = reader.feed(b'{"hello":1}\n' + "".join(f"{line}\n" for line in told["lines"]).encode())
    received = sum(cell.count for (_, key), cell in batch.cells.items() if key.metric == REQUESTS)
    assert received + reader.dropped == 300_000
    assert 0 < received < 300_000
    assert (reader.garbage, told["longest"] < 4096) == (0, True)


HELD = """
import { Sheet } from "TAP/sheet.js";
let isFull = false;
const sheet = new Sheet(() => !isFull);
const held = [];
for (let at = 0; at < 100; at += 1) {
  for (const name of ["tables.found", "vusers.created"]) sheet.add(name, "counter", "", "", 1);
  sheet.add("requests", "trend", "home", 200, at % 7);
  sheet.add("requests", "trend", "home", "", null, true);
  held.push(sheet.held);
  sheet.flush();
  held.push(sheet.held);
}
isFull = true;
for (let at = 0; at < 50_010; at += 1) sheet.add(`metric ${at}`, "counter", "", "", 1);
held.push(sheet.held);
for (let at = 0; at < 100_010; at += 1) sheet.add("requests", "trend", `${at}`, "", null, true);
held.push(sheet.held);
process.stdout.write(JSON.stringify(held));
"""


def test_what_a_worker_holds_is_bounded_whatever_it_measures(
    artillery: Tool, tmp_path: Path
) -> None:
    script = tmp_path / "held.mjs"
    script.write_text(HELD.replace("TAP", str(PLUGINS / "artillery-plugin-wedsync-tap")))
    assert run_node(artillery, script) == [7, 0] * 100 + [100_000] * 2


WORKERS = """
import { EventEmitter } from "node:events";
import { setTimeout } from "node:timers/promises";
global.artillery = { globalEvents: new EventEmitter() };
const { Workers } = await import("TAP/workers.js");
const workers = new Workers(200);
const may = [workers.mayBeSilent];
workers.hear({ born: 1 });
may.push(workers.mayBeSilent);
await setTimeout(300);
may.push(workers.mayBeSilent);
workers.hear({ born: 2 });
may.push(workers.mayBeSilent);
workers.hear({ here: 1 });
may.push(workers.mayBeSilent, workers.up);
workers.bury(1, true);
workers.bury(2, true);
may.push(workers.mayBeSilent, workers.up);
process.stdout.write(JSON.stringify(may));
"""


def test_the_main_thread_says_that_all_is_well_only_where_no_worker_could(
    artillery: Tool, tmp_path: Path
) -> None:
    """Before the first, while they load the script for so long, and after the last."""
    script = tmp_path / "workers.mjs"
    script.write_text(WORKERS.replace("TAP", str(PLUGINS / "artillery-plugin-wedsync-tap")))
    loaded, over = [False, 1], [True, 0]
    assert run_node(artillery, script) == [True, True, False, True, *loaded, *over]


STEPS = """
const { unknownOf } = require("PLUGINS/flow.cjs");
const flows = FLOWS;
const told = flows.map(([engine, flow]) => unknownOf({ engine, flow }, {}));
process.stdout.write(JSON.stringify(told.map(({ unknown, idle }) => [unknown, idle])));
"""


def test_steps_that_no_engine_of_artillery_knows_are_found(artillery: Tool, tmp_path: Path) -> None:
    loop = {"loop": [{"get": {}}, {"pots": {}}], "count": 2}
    asks: list[tuple[object, ...]] = [
        (None, [{"get": {}}, {"think": 1}, [{"options": {}}], {"parallel": [{"log": "a"}]}]),
        (None, [{"gett": {}}, {"think": 1}]),
        (None, [{"purge": {}}, "get"]),
        ("http", [{"send": "hello"}, loop]),
        ("ws", [{"connect": "/"}, {"send": "hello"}, {"emit": []}]),
        ("socketio", [{"emit": ["a"]}, {"get": {}}, {"wait": 1}]),
        ("kafka", [{"publish": 1}]),
        ("constructor", [{"publish": 1}]),
    ]
    script = tmp_path / "steps.cjs"
    script.write_text(STEPS.replace("PLUGINS", str(PLUGINS)).replace("FLOWS", json.dumps(asks)))
    assert run_node(artillery, script) == [
        [[], False],
        [["gett"], True],
        [["get"], False],
        [["send", "pots"], False],
        [["emit"], False],
        [["wait"], False],
        [[], False],
        [[], False],
    ]
