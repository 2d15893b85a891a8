import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runs.samples import REQUESTS, Key
from runs.tools import Finished, Job, OwnVerdict, ToolProblem, artillery_plan
from runs.tools.artillery import Artillery
from runs.tools.artillery_lines import ArtilleryReader
from tests.runs.tools.fake_shell import executable, job_in, said

PLAN: dict[str, Any] = {
    "artillery": "2.0.34",
    "node": "v24.19.0",
    "target": "http://site.example",
    "phases": [{"duration": 10, "arrivalRate": 2, "maxVusers": 5}],
    "plugins": ["ensure", "metrics-by-endpoint"],
    "scenarios": [{"name": "guest", "engine": "http"}],
    "ensure": {},
    "urls": [],
}

QUIET = {"name": "bells", "engine": "http", "quiet": True}
MISSPELT = {"name": "bell", "engine": "ws", "unknown": ["s", "sen"]}


class Planning:
    """A shell whose Artillery has the plan plugin write this plan, or says why it could not."""

    def __init__(self, plan: dict[str, Any] | None = None, answer: Finished | None = None) -> None:
        self.plan, self.answer = plan, answer or said()
        self.asked: list[tuple[list[str], dict[str, str]]] = []

    def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        self.asked.append((argv, dict(env)))
        if self.plan is not None:
            Path(env["WEDSYNC_PLAN"]).write_text(json.dumps(self.plan))
        return self.answer


@pytest.fixture
def artillery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artillery:
    monkeypatch.setenv("WEDSYNC_ARTILLERY", str(executable(tmp_path / "artillery")))
    executable(tmp_path / "node")
    monkeypatch.setenv("PATH", str(tmp_path))
    return Artillery()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = job_in(tmp_path, seconds=60)
    job.script.write_text("config: {}\n")
    return job


def planned(*phases: Mapping[str, object], **more: object) -> artillery_plan.Plan:
    return artillery_plan.read(json.dumps(PLAN | {"phases": list(phases)} | more).encode())


def test_a_script_is_prepared_with_what_its_phases_come_to(artillery: Artillery, job: Job) -> None:
    prepared = artillery.prepare(job, Planning(PLAN))
    assert (prepared.version, prepared.nominal) == ("2.0.34", timedelta(seconds=10))
    assert (prepared.peak_users, prepared.peak_rate) == (5, 2.0)
    assert (prepared.hosts, prepared.warnings) == (("site.example",), ())
    assert not prepared.is_bounded


@pytest.mark.parametrize(
    ("phases", "seconds"),
    [
        ([{"duration": 60, "arrivalRate": 1}], 60),
        ([{"duration": "90", "arrivalRate": 1}], 90),
        ([{"duration": "10m", "arrivalRate": 1}, {"pause": "1m"}], 660),
        ([{"duration": "1.5 hours", "arrivalCount": 3}], 5400),
        ([{"duration": "500ms", "arrivalCount": 3}], 0.5),
        ([{"duration": "2 minutes", "arrivalRate": 0, "rampTo": 9}], 120),
        ([], 0),
    ],
)
def test_phases_last_as_long_as_artillery_reads_them(
    phases: list[dict[str, object]], seconds: float
) -> None:
    assert planned(*phases).nominal == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("phase", "rate", "users"),
    [
        ({"duration": 10, "arrivalRate": 5}, 5, None),
        ({"duration": 10, "arrivalRate": 5, "rampTo": 50, "maxVusers": 200}, 50, 200),
        ({"duration": 10, "arrivalRate": "5", "maxVusers": "7"}, 5, 7),
        ({"duration": 10, "arrivalCount": 40}, 4, 40),
        ({"pause": 10}, 0, 0),
        ({"duration": 10, "arrivalRate": 0}, 0, 0),
    ],
)
def test_the_peak_is_what_a_phase_allows(
    phase: dict[str, object], rate: float, users: int | None
) -> None:
    assert (planned(phase).peak_rate, planned(phase).peak_users) == (rate, users)


def test_users_of_one_phase_are_still_there_in_the_next() -> None:
    counted = {"duration": 5, "arrivalCount": 10}
    assert (
        planned(counted, counted, {"duration": 5, "arrivalRate": 9, "maxVusers": 4}).peak_users
        == 24
    )


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ({"duration": "soon", "arrivalRate": 1}, "“soon” is no duration"),
        ({"duration": 60, "arrivalRate": 0.5}, "whole numbers.*0.5; arrivalCount: 30"),
        ({"duration": 60, "arrivalRate": 2.5, "rampTo": 0}, "whole numbers as arrivalRate.*2.5"),
        ({"duration": 60, "arrivalRate": 2, "maxVusers": 2.5}, "whole numbers as maxVusers.*2.5"),
        ({"duration": 0, "arrivalCount": 5}, "“0” is no duration"),
        ({"duration": 5, "arrivalRate": "many"}, "phase 1, arrivalRate is “many”, but it takes a"),
        ({"duration": 5, "arrivalRate": 1, "rampTo": -2}, "rampTo is “-2”, but it takes a number"),
        ({"duration": 5, "arrivalCount": "inf"}, "arrivalCount is “inf”, but it takes a number"),
        ({"duration": 5, "arrivalRate": 1, "maxVusers": "", "name": "rush"}, "“rush”.*maxVusers"),
        ({"duration": -3, "arrivalRate": 1}, "“-3” is no duration"),
        ({"duration": 1e30, "arrivalRate": 1}, "is no duration"),
        ({"duration": 1.5, "arrivalRate": 1}, "has a fraction and no unit: write “1.5s”"),
        ({"pause": "-3s"}, "“-3s” is no duration"),
        ({"arrivalRate": 1}, "neither a duration nor a pause"),
        ({"arrivalRate": [1]}, "make no sense"),
    ],
)
def test_phases_that_artillery_cannot_run_are_refused(phase: dict[str, object], words: str) -> None:
    with pytest.raises(ToolProblem, match=words) as caught:
        planned(phase)
    assert caught.value.code == "script_invalid"


def test_an_engine_that_nobody_has_is_left_to_artillery_which_ends_as_by_hand() -> None:
    assert planned(scenarios=[{"engine": "kafka"}]).scenarios[0].engine == "kafka"


def test_every_host_that_the_script_names_is_told_once() -> None:
    plan = planned(
        target="https://u:p@site.example:8443",
        urls=["http://cdn.example", "http://cdn.example", "http://{{ where }}"],
    )
    assert plan.hosts == ("site.example:8443", "cdn.example")


def test_phases_longer_than_declared_are_refused(artillery: Artillery, job: Job) -> None:
    plan = PLAN | {"phases": [{"duration": "10m", "arrivalRate": 1}]}
    with pytest.raises(ToolProblem, match="phases take PT10M but the run declares PT1M") as caught:
        artillery.prepare(job, Planning(plan))
    assert caught.value.code == "plan_too_long"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"phases": [{"duration": 9, "arrivalRate": 1}]}, "no maxVusers"),
        ({"plugins": [], "ensure": {"p95": 9}}, "judges none of it"),
        (
            {"scenarios": [MISSPELT]},
            "“bell” has steps that Artillery's ws engine does not know: “s”",
        ),
        ({"scenarios": [QUIET, QUIET]}, "each user's session is counted as one request"),
        ({"scenarios": [QUIET, {"engine": "http"}]}, "“bells” makes no request that can be"),
        ({"artillery": "2.0.99"}, "Artillery 2.0.99; WedSync is tested with"),
        ({"node": "v20.20.2"}, "asks for Node 22.18"),
    ],
)
def test_what_a_person_should_know_is_a_warning(
    artillery: Artillery, job: Job, change: dict[str, object], words: str
) -> None:
    assert words in artillery.prepare(job, Planning(PLAN | change)).warnings[0]


def test_what_artillery_warns_of_while_it_plans_is_a_warning_once(
    artillery: Artillery, job: Job
) -> None:
    words = "Test run id: x\nWARNING: environment stagin is set but is not defined in the script\n"
    warned = "Artillery warns: environment stagin is set but is not defined in the script."
    assert artillery.prepare(job, Planning(PLAN, said(words, words))).warnings == (warned,)


def test_hooks_that_every_shard_runs_for_itself_are_a_warning(
    artillery: Artillery, job: Job
) -> None:
    plan = PLAN | {"hooks": ["before", "after"]}
    told = artillery.prepare(replace(job, shard=(1, 2)), Planning(plan)).warnings
    assert told == (
        "Each of the 2 shards runs the script's “before” and “after” once for itself: what is made "
        "there is made 2 times.",
    )
    assert artillery.prepare(job, Planning(plan)).warnings == ()


@pytest.mark.parametrize(
    ("said_", "words"),
    [
        ("Test run id: x\nError: bad indentation\n", "cannot load the script: bad indentation"),
        (
            "✘ [ERROR] Expected\nError: Build failed with 1 error:\n"
            "wedsync-script.ts:1:23: ERROR: no\n",
            "cannot load the script: line 1 of the script: ERROR: no",
        ),
        ("", "cannot load the script: it ended with code 1"),
        ("Error: Cannot read properties of null (reading 'target')", "it has no “config”. A scr"),
        ("Error: Cannot create property 'target' on string 'x'", "it has no “config”. A script"),
        ('Scenario validation error: "scenarios" is required', "it has no scenarios, so nobody"),
    ],
)
def test_a_broken_script_is_told_in_artillerys_own_words(
    artillery: Artillery, job: Job, said_: str, words: str
) -> None:
    with pytest.raises(ToolProblem, match=words) as caught:
        artillery.prepare(job, Planning(answer=said(stderr=said_, code=1)))
    assert caught.value.code == "script_invalid"


def test_a_modules_own_mistake_is_not_taken_for_a_config_that_is_missing(
    artillery: Artillery, job: Job
) -> None:
    job.script.write_text("export const config = { target: nobody.target };\n")
    words = "Error: Cannot read properties of undefined (reading 'target')"
    with pytest.raises(ToolProblem, match="script: Cannot read prop.* If its code does not say th"):
        artillery.prepare(job, Planning(answer=said(stderr=words, code=1)))


def test_a_script_in_which_nobody_does_anything_is_refused(artillery: Artillery, job: Job) -> None:
    with pytest.raises(ToolProblem, match="it has no scenarios, so nobody would do anything"):
        artillery.prepare(job, Planning(PLAN | {"scenarios": []}))


def test_another_program_in_artillerys_place_is_no_fault_of_the_script(
    artillery: Artillery, job: Job
) -> None:
    with pytest.raises(ToolProblem, match="saying “9.9.9”. Run ./wedsync tools to get") as caught:
        artillery.prepare(job, Planning(answer=said("9.9.9\n")))
    assert caught.value.code == "tool_error"


def test_a_script_that_never_ends_loading_is_told_of_artillery(
    artillery: Artillery, job: Job
) -> None:
    def hang(argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        assert timeout_s == 30
        raise ToolProblem("node did not answer within 30 s.", code="script_hangs")

    with pytest.raises(ToolProblem, match="^Artillery did not finish loading .* 30 s") as caught:
        artillery.prepare(job, hang)
    assert caught.value.code == "script_hangs"


def test_a_plan_of_an_earlier_try_is_not_taken_for_this_one(artillery: Artillery, job: Job) -> None:
    artillery.prepare(job, Planning(PLAN))
    with pytest.raises(ToolProblem, match="cannot load"):
        artillery.prepare(job, Planning(answer=said(code=1)))


def test_planning_reaches_nobody_and_runs_what_is_run(artillery: Artillery, job: Job) -> None:
    shell = Planning(PLAN)
    artillery.prepare(replace(job, deny=("10.0.0.0/8",)), shell)
    command = artillery.command(replace(job, deny=("10.0.0.0/8",)), samples_fd=5, go_fd=6)
    (argv, env) = shell.asked[0]
    assert argv == command.argv
    assert env["WEDSYNC_DENIED"] == "0.0.0.0/0 ::/0"
    assert command.env["WEDSYNC_DENIED"] == "10.0.0.0/8"
    assert (command.env["WEDSYNC_SAMPLES_FD"], command.env["WEDSYNC_GO_FD"]) == ("5", "6")
    assert "wedsync-plan" in env["ARTILLERY_PLUGINS"]
    assert "wedsync-tap" in command.env["ARTILLERY_PLUGINS"]
    assert (job.workdir / "wedsync-plugins" / "preload.cjs").exists()


def test_target_variables_and_environment_are_given_artillerys_own_way(
    artillery: Artillery, job: Job
) -> None:
    job = replace(job, users=20, variables={"season": "peak", "ARTILLERY_ENVIRONMENT": "staging"})
    argv = artillery.command(job, samples_fd=5, go_fd=6).argv
    assert argv[argv.index("--target") + 1] == "http://site.example"
    assert argv[argv.index("--environment") + 1] == "staging"
    given = json.loads(argv[argv.index("--variables") + 1])
    assert given == {"season": "peak", "TARGET": "http://site.example", "USERS": "20"}
    env = artillery.command(job, samples_fd=5, go_fd=6).env
    assert (env["season"], "ARTILLERY_ENVIRONMENT" in env) == ("peak", False)


def test_a_secret_is_in_the_environment_only_and_replaces_nothing_of_ours(
    artillery: Artillery, job: Job
) -> None:
    job = replace(job, secrets={"TOKEN": "s3cret", "NODE_OPTIONS": "--inspect", "PATH": "/evil"})
    command = artillery.command(job, samples_fd=5, go_fd=6)
    assert command.env["TOKEN"] == "s3cret"
    assert "s3cret" not in " ".join(command.argv)
    assert "preload.cjs" in command.env["NODE_OPTIONS"]
    assert "/evil" not in command.env["PATH"]


def test_artillery_inherits_nothing_but_the_path(
    artillery: Artillery, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTILLERY_CLOUD_API_KEY", "key")
    env = artillery.command(job, samples_fd=5, go_fd=6).env
    assert "ARTILLERY_CLOUD_API_KEY" not in env
    assert env["ARTILLERY_DISABLE_TELEMETRY"] == "1"


def test_hosts_and_a_certificate_authority_reach_node(artillery: Artillery, job: Job) -> None:
    job = replace(job, hosts={"Shop.Example": "127.0.0.1:9000"}, ca=Path("/etc/ours/ca.pem"))
    env = artillery.command(job, samples_fd=5, go_fd=6).env
    assert json.loads(env["WEDSYNC_HOSTS"]) == {"shop.example": "127.0.0.1:9000"}
    assert env["NODE_EXTRA_CA_CERTS"] == "/etc/ours/ca.pem"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("config:\n  target: http://a\n", "script"),
        ('{"config": {}}', "script"),
        ("export const config = {};\n", "script.ts"),
        ("// a comment\nmodule.exports = {};\n", "script.ts"),
    ],
)
def test_a_module_is_given_the_name_by_which_artillery_knows_one(
    artillery: Artillery, job: Job, text: str, name: str
) -> None:
    job.script.write_text(text)
    artillery.prepare(job, Planning(PLAN))
    assert artillery.command(job, samples_fd=5, go_fd=6).argv[-1] == str(job.workdir / name)
    assert (job.workdir / name).read_text() == text


def test_go_is_one_byte(artillery: Artillery, job: Job) -> None:
    reading, writing = os.pipe()
    artillery.go(job, writing)
    assert os.read(reading, 10) == b"g"
    os.close(reading)
    with pytest.raises(ToolProblem, match="ended before"):
        artillery.go(job, writing)
    os.close(writing)


def test_our_own_artillery_comes_before_the_one_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEDSYNC_ARTILLERY", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolProblem, match="nor on PATH"):
        Artillery().find()
    on_path = executable(tmp_path / "artillery")
    assert Artillery().find() == on_path
    entry = tmp_path / "cache/wedsync/artillery-2.0.34/node_modules/artillery/bin/run"
    entry.parent.mkdir(parents=True)
    executable(entry)
    assert Artillery().find() == entry


def test_artillery_without_node_says_what_is_missing(
    artillery: Artillery, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolProblem, match=r"needs Node\.js.*wedsync tools"):
        artillery.prepare(job, Planning(PLAN))


@pytest.mark.parametrize(
    ("code", "stderr", "kind", "words"),
    [
        (0, "", "finished", "Artillery finished."),
        (1, "ok: a < 1\nfail: b < 2\n", "thresholds_crossed", "ensure failed: b < 2."),
        (1, "fail: b < 2 (optional)\nError: no", "script_error", "The script failed: no."),
        (
            11,
            'worker error, id: 1 Error: Failed to run scenario "0": unknown engine "kafka". Did '
            'you forget to include it in "config.engines.kafka"?\n    at Array.map\n',
            "script_error",
            'unknown engine "kafka". Did you forget to include it in "config.engines.kafka"?',
        ),
        (
            11,
            "worker error, id: 1 Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'soap' imported "
            "from /a/node_modules/artillery/dist/lib/core/runner.js\n"
            "    at resolve (node:1) {\n  code: 'ERR_MODULE_NOT_FOUND'\n}\n",
            "script_error",
            "in a worker of Artillery: Cannot find module 'soap'.",
        ),
        (
            11,
            "worker error, id: 2 browserType.launch: No such browser\n╔═══╗\n",
            "script_error",
            "in a worker of Artillery: browserType.launch: No such browser.",
        ),
        (
            11,
            "worker error, id: 1 Error: Callback was already called.\n"
            "    at /a/node_modules/async/dist/async.js:969:32\n"
            "    at captured (file:///a/artillery/dist/lib/core/engine_ws.js:70:20)\n",
            "script_error",
            "Artillery's own WebSocket engine failed in a worker, as it does by hand: a message",
        ),
        (
            11,
            "worker error, id: 1 Error: Callback was already called.\n"
            "    at later (file:///a/processor.js:7:2)\n"
            "    at scenario (file:///a/artillery/dist/lib/core/engine_ws.js:70:20)\n",
            "script_error",
            "in a worker of Artillery: Callback was already called.",
        ),
        (
            11,
            "worker error, id: 1 TypeError: no\nwedsync-script.ts.js:9\n",
            "script_error",
            "in a worker of Artillery: no.",
        ),
        (
            11,
            "worker error, id: 1 Error: /x/dist/wedsync-script.ts.js:9: odd\n",
            "script_error",
            "in a worker of Artillery: line 9 of the script: odd.",
        ),
        (21, "", "thresholds_crossed", "expect plugin"),
        (3, "", "tool_error", "lost its supervisor"),
        (143, "", "stopped", "told to stop"),
        (77, "", "tool_error", "code 77, which is none of its own: look in the script's functions"),
        (77, "Error: no\n", "tool_error", "plugins for what asks for it: no."),
    ],
)
def test_an_exit_code_becomes_a_sentence(code: int, stderr: str, kind: str, words: str) -> None:
    ending = Artillery().explain(code, stderr)
    assert ending.kind == kind
    assert words in ending.sentence
    assert "?." not in ending.sentence


def test_checks_are_told_as_ensure_judged_them(artillery: Artillery, job: Job) -> None:
    conditions = [{"expression": "c > 0", "strict": False}]
    ensure = {"thresholds": [{"a": 1}, {"b": 2}], "conditions": conditions, "maxErrorRate": 1}
    prepared = artillery.prepare(job, Planning(PLAN | {"ensure": ensure}))
    assert prepared.thresholds == ("a < 1", "b < 2", "c > 0", "maxErrorRate < 1")
    assert {verdict.held for verdict in artillery.own_verdicts(job)} == {None}
    checks = [["a < 1", True, True], ["b < 2", True, False], ["c > 0", False, False]]
    (job.workdir / "wedsync-checks.json").write_text(json.dumps(checks))
    assert artillery.own_verdicts(job) == (
        OwnVerdict("a < 1", True),
        OwnVerdict("b < 2", False),
        OwnVerdict("c > 0 (optional)", None),
    )


def test_a_script_without_a_plan_has_no_verdicts(artillery: Artillery, job: Job) -> None:
    assert artillery.own_verdicts(job) == ()


@pytest.mark.parametrize("name", ["wedsync-plan.json", "wedsync-checks.json"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_a_script_put_in_place_of_our_files_is_not_read(
    artillery: Artillery, job: Job, name: str, make: Callable[[Path], None]
) -> None:
    artillery.prepare(job, Planning(PLAN | {"ensure": {"thresholds": [{"a": 1}]}}))
    (job.workdir / name).unlink(missing_ok=True)
    make(job.workdir / name)
    assert all(own.held is None for own in artillery.own_verdicts(job))
    if name == "wedsync-plan.json":
        with pytest.raises(ToolProblem, match="that WedSync put beside the script is no longer"):
            artillery.command(replace(job, shard=(0, 2)), samples_fd=3, go_fd=4)


def test_a_script_that_became_a_pipe_is_told_and_hangs_nobody(
    artillery: Artillery, job: Job
) -> None:
    artillery.prepare(job, Planning(PLAN))
    job.script.unlink()
    os.mkfifo(job.script)
    with pytest.raises(ToolProblem, match="is no longer the one that was put there"):
        artillery.command(job, samples_fd=3, go_fd=4)


def line(worker: int = 1, users: int = 1, dropped: int = 0, **more: object) -> bytes:
    word = {"worker": worker, "at": 5, "users": users, "dropped": dropped} | more
    return json.dumps(word).encode() + b"\n"


def test_users_and_losses_of_all_workers_are_added_up() -> None:
    reader = ArtilleryReader()
    batch = reader.feed(b'{"hello":1}\n' + line(1, 3, 2) + line(2, 4, 1) + line(0, 0))
    assert (batch.users, reader.dropped) == ({5: 7}, 3)


def test_a_value_is_there_as_often_as_it_came() -> None:
    cell = [5, REQUESTS, "trend", "home", "500", [7, 2, 9.5, 1], 3, 0]
    batch = ArtilleryReader().feed(b'{"hello":1}\n' + line(cell=cell))
    found = batch.cells[5, Key(REQUESTS, "home", "500")]
    assert (found.values, found.errors, found.unanswered) == ([7, 7, 9.5], 3, 0)


def test_what_is_no_request_keeps_its_kind() -> None:
    cell = [5, "vusers.created", "counter", "", "", [12, 1], 0, 0]
    batch = ArtilleryReader().feed(b'{"hello":1}\n' + line(cell=cell))
    assert batch.kinds == {"vusers.created": "counter"}
    assert batch.cells[5, Key("vusers.created", "")].values == [12]


@pytest.mark.parametrize(
    "cell",
    [
        [5, REQUESTS, "trend", "a", "", [7], 0, 0],
        [5, REQUESTS, "trend", "a", "", [-1, 1], 0, 0],
        [5, REQUESTS, "trend", "a", "", [7, 1], 9, 0],
        [5, REQUESTS, "trend", "a", "", [7, 1e12], 0, 0],
        [5, REQUESTS, "trend", "a", "", [7, -1], 0, 0],
        [5, REQUESTS, "sum", "a", "", [7, 1], 0, 0],
    ],
)
def test_a_cell_that_makes_no_sense_is_left_out(cell: list[object]) -> None:
    reader = ArtilleryReader()
    assert reader.feed(b'{"hello":1}\n' + line(cell=cell)).cells == {}
    assert reader.garbage == 1
