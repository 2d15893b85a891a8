import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import tests.fakes.k6
from runs import belongings
from runs.samples import REQUESTS
from runs.tools import Finished, Job, ToolProblem, k6_archive
from runs.tools.k6 import K6
from runs.tools.k6_lines import K6Reader
from runs.tools.k6_plan import parse_duration, refuse_longer
from tests.runs.tools.fake_shell import FakeShell, executable, job_in, said
from tests.runs.tools.local import free_port
from tests.waiting import until

PLAN = {"totalDuration": "35s", "maxVUs": 13, "blacklistIPs": ["10.0.0.0/8"]}


@pytest.fixture
def k6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> K6:
    monkeypatch.setenv("WEDSYNC_K6", str(executable(tmp_path / "k6")))
    monkeypatch.delenv("WEDSYNC_K6_CONFIG", raising=False)
    (tmp_path / "script").touch()
    return K6()


def shell_of(
    *, plan: object = PLAN, archive: Finished | None = None, version: Finished | None = None
) -> FakeShell:
    return FakeShell(
        version=version or said("k6 v1.8.1 (go1.26.8, linux/amd64)\n"),
        archive=archive or said(),
        inspect=said(json.dumps(plan)),
    )


def test_the_script_is_archived_once_and_the_archive_is_what_is_judged_and_run(
    k6: K6, tmp_path: Path
) -> None:
    shell, job = shell_of(), job_in(tmp_path)
    prepared = k6.prepare(job, shell)
    command = k6.command(job, samples_fd=5, go_fd=6)
    archive = str(tmp_path / "wedsync-archive.tar")
    assert (prepared.version, prepared.worst_case) == ("1.8.1", timedelta(seconds=35 + 2 * 60))
    assert prepared.warnings == ()
    assert [argv[1] for argv, _ in shell.asked] == ["version", "archive", "inspect"]
    assert shell.asked[1][0][-3:] == ["-O", archive, str(job.script)]
    assert shell.asked[2][0][-1] == command.argv[-1] == archive
    assert command.argv[-3:-1] == ["--out", "json=/dev/fd/5"]


def test_target_and_users_reach_archive_inspect_and_run_alike(k6: K6, tmp_path: Path) -> None:
    shell, job = shell_of(), job_in(tmp_path, users=20)
    k6.prepare(job, shell)
    run = k6.command(job, samples_fd=5, go_fd=6).argv
    for argv in (shell.asked[1][0], shell.asked[2][0], run):
        given = [value for flag, value in zip(argv, argv[1:], strict=False) if flag == "-e"]
        assert given == ["TARGET=http://site.example", "USERS=20"]
    assert not {"-u", "--vus", "-d", "--duration", "--tag"} & set(run)


def test_variables_go_by_name_and_secrets_by_the_environment_alone(k6: K6, tmp_path: Path) -> None:
    words: dict[str, Any] = {
        "variables": {"GUESTS": "200"},
        "secrets": {"TOKEN": "hush-hush"},
    }
    shell, job = shell_of(), job_in(tmp_path, **words)
    k6.prepare(job, shell)
    command = k6.command(job, samples_fd=5, go_fd=6)
    for argv, env in (*shell.asked[1:], (command.argv, command.env)):
        assert "GUESTS=200" in argv
        assert "--include-system-env-vars=true" in argv
        assert "hush" not in " ".join(argv)
        assert env["TOKEN"] == "hush-hush"
    assert "--exclude-env-vars" in shell.asked[1][0]
    assert "hush" not in repr(command) + repr(job)


@pytest.mark.parametrize(
    ("thresholds", "by_hand", "more"),
    [
        ({}, None, []),
        ({"http_req_duration{url:http://site.example/rsvp}": ["p(95)<500"]}, None, ["url"]),
        ({"http_reqs{name:rsvp, 'proto':HTTP/2.0}": ["count>0"]}, None, ["proto"]),
        ({"http_reqs{ip:127.0.0.1}": ["count>0"]}, ["ip", "status", "url"], ["ip"]),
        ({"http_reqs{url:http://site.example/}": ["count>0"]}, ["status"], []),
        ({"http_reqs{ip:127.0.0.1,mine:yes}": ["count>0"]}, None, []),
    ],
)
def test_a_threshold_finds_the_tags_of_k6_that_it_finds_by_hand(
    k6: K6, tmp_path: Path, thresholds: object, by_hand: list[str] | None, more: list[str]
) -> None:
    job = job_in(tmp_path)
    k6.prepare(job, shell_of(plan=PLAN | {"thresholds": thresholds, "systemTags": by_hand}))
    argv = k6.command(job, samples_fd=5, go_fd=6).argv
    tags = argv[argv.index("--system-tags") + 1].split(",")
    assert [tag for tag in tags if tag in {"url", "proto", "ip", "mine"}] == more
    assert {"status", "name", "expected_response"} <= set(tags)


@pytest.mark.parametrize("lies_at", ["tests/load.js", "load.ts", "a/b/load.mjs"])
def test_a_script_among_its_files_runs_from_where_it_lies(
    k6: K6, tmp_path: Path, lies_at: str
) -> None:
    shell, job = shell_of(), job_in(tmp_path)
    job.script.write_text("import '../lib/guests.js'")
    for name, text in {
        "lib/guests.js": "",
        "z/load.js": "",
        "a/notes.txt": None,
        lies_at: None,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(job.script.read_text() if text is None else text)
    k6.prepare(job, shell)
    assert shell.asked[1][0][-1] == str(tmp_path / lies_at)


def test_a_script_among_its_files_is_what_its_ending_says(k6: K6, tmp_path: Path) -> None:
    wrong = said(stderr="file://x/load.js: Line 4:12 Unexpected token :\n", code=107)
    shell, job = shell_of(archive=wrong), job_in(tmp_path)
    for path in (job.script, tmp_path / "load.js"):
        path.write_text("let guests: number = 1")
    with pytest.raises(ToolProblem, match="Unexpected token"):
        k6.prepare(job, shell)
    assert [argv[-1] for argv, _ in shell.asked[1:]] == [str(tmp_path / "load.js")]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("import grpc from 'k6/net/grpc'", 0),
        ('const http = require("k6/http")', 0),
        ("import { WebSocket } from 'k6/experimental/websockets'", 0),
        ("import {\n  get,\n  post,\n} from 'k6/http'", 0),
        ('"use strict";import t from"k6";import e from"k6/http";', 0),
        ('/* banner */ import http from "k6/http"', 0),
        ('let a={}import t from"k6/http"', 0),
        ("export async function setup() { await import('k6/http'); }", 0),
        ("import { check } from 'k6'; // https://grafana.com/docs/k6/http", 1),
        ("// formerly: import http from 'k6/http';\nimport { check } from 'k6'", 1),
        ("  // const http = require('k6/http')", 1),
    ],
)
def test_iterations_are_requests_only_of_a_script_that_can_make_no_others_and_it_is_said_before(
    k6: K6, tmp_path: Path, text: str, counted: int
) -> None:
    with tarfile.open(tmp_path / "wedsync-archive.tar", "w") as tar:
        member = tarfile.TarInfo("file/work/lib/guests.js")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    data = {"time": "2026-11-23T14:34:19Z", "value": 9, "tags": {}}
    line = {"metric": "iteration_duration", "type": "Point", "data": data}
    batch = k6.reader(job_in(tmp_path)).feed(json.dumps(line).encode() + b"\n")
    assert len([key for _, key in batch.cells if key.metric == REQUESTS]) == counted
    warnings = k6.prepare(job_in(tmp_path), shell_of()).warnings
    assert ["iterations are counted as requests" in text for text in warnings] == [True] * counted


def test_whether_a_long_script_makes_requests_is_found_at_once(tmp_path: Path) -> None:
    """One that went on from each line to the end of the file would need minutes."""
    text = "".join(f"export const guest{number} = {number}\n" for number in range(60_000)).encode()
    with tarfile.open(tmp_path / "long.tar", "w") as tar:
        member = tarfile.TarInfo("data")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    assert k6_archive.speaks(tmp_path / "long.tar") is False


def test_no_file_of_a_run_is_taken_for_one_of_k6s_own(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "k6.json").write_text("{}")
    monkeypatch.setenv("WEDSYNC_K6_CONFIG", str(tmp_path / "k6.json"))
    job = job_in(tmp_path)
    k6.prepare(job, shell_of())
    argv = k6.command(job, samples_fd=5, go_fd=6).argv
    assert {path.name for path in tmp_path.iterdir()} >= {"wedsync-inspect.json"}
    files = [Path(word).name for word in argv if word.startswith(f"{tmp_path}/")]
    assert len(files) == 4, files  # k6 itself, its config, its summary, the archive
    assert all(name.startswith(belongings.OURS) for name in (*files[1:], K6.script_name))


def test_a_plan_is_read_as_far_as_the_script_says(k6: K6, tmp_path: Path) -> None:
    scenarios = {
        "browse": {
            "executor": "ramping-arrival-rate",
            "startRate": 60,
            "timeUnit": "1m",
            "stages": [{"duration": "10s", "target": 600}, {"duration": "5s", "target": 0}],
        },
        "photos": {
            "executor": "constant-arrival-rate",
            "startTime": "5s",
            "duration": "5s",
            "rate": 7,
        },
        "later": {
            "executor": "constant-arrival-rate",
            "startTime": "15s",
            "duration": "5s",
            "rate": 12,
        },
    }
    plan = PLAN | {
        "scenarios": scenarios,
        "setupTimeout": "5s",
        "teardownTimeout": "10s",
        "thresholds": {"http_req_duration": ["p(95)<500"]},
    }
    prepared = k6.prepare(job_in(tmp_path), shell_of(plan=plan))
    assert (prepared.nominal, prepared.worst_case) == (timedelta(seconds=20), timedelta(seconds=50))
    assert (prepared.peak_users, prepared.peak_rate) == (13, 17.0)
    assert prepared.thresholds == ("http_req_duration p(95)<500",)


@pytest.mark.parametrize(
    ("scenario", "nominal"),
    [
        ({"executor": "shared-iterations", "iterations": 5}, None),
        ({"executor": "constant-vus", "duration": "1m"}, timedelta(minutes=1)),
        ({"executor": "ramping-vus", "stages": []}, timedelta()),
    ],
)
def test_a_script_that_begins_iterations_at_will_has_no_rate(
    k6: K6, tmp_path: Path, scenario: dict[str, object], nominal: timedelta | None
) -> None:
    prepared = k6.prepare(job_in(tmp_path), shell_of(plan=PLAN | {"scenarios": {"a": scenario}}))
    assert (prepared.nominal, prepared.peak_rate) == (nominal, None)


def test_the_scripts_own_deny_list_is_kept_beside_ours(k6: K6, tmp_path: Path) -> None:
    job = job_in(tmp_path, deny=("192.168.0.0/16",))
    k6.prepare(job, shell_of())
    argv = k6.command(job, samples_fd=5, go_fd=6).argv
    denied = [
        value for flag, value in zip(argv, argv[1:], strict=False) if flag == "--blacklist-ip"
    ]
    assert denied == ["10.0.0.0/8", "192.168.0.0/16"]


def test_k6_inherits_nothing_but_the_path(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K6_VUS", "500")
    monkeypatch.setenv("WEDSYNC_SECRET", "hush")
    shell, job = shell_of(), job_in(tmp_path)
    k6.prepare(job, shell)
    env = k6.command(job, samples_fd=5, go_fd=6).env
    assert all(asked == env for _, asked in shell.asked)
    assert {name for name in env if name.startswith("K6_")} == {
        "K6_NO_USAGE_REPORT",
        "K6_AUTO_EXTENSION_RESOLUTION",
        "K6_BROWSER_ARGS",
    }
    assert "WEDSYNC_SECRET" not in env
    assert env["HOME"] == str(tmp_path)


def test_a_script_that_is_no_javascript_is_tried_as_typescript(k6: K6, tmp_path: Path) -> None:
    wrong = said(stderr="file://x/script: Line 4:12 Unexpected token :\n", code=107)
    job = job_in(tmp_path)
    job.script.write_text("let guests: number = 1")

    class TypeScriptOnly(FakeShell):
        def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
            answer = super().__call__(argv, env, timeout_s)
            return wrong if argv[1] == "archive" and argv[-1] == str(job.script) else answer

    shell = TypeScriptOnly(**shell_of().answers)
    k6.prepare(job, shell)
    archived = [argv[-1] for argv, _ in shell.asked if argv[1] == "archive"]
    assert archived == [str(job.script), str(tmp_path / "wedsync-script.ts")]


def test_what_is_wrong_with_typescript_is_not_that_it_is_no_javascript(
    k6: K6, tmp_path: Path
) -> None:
    job = job_in(tmp_path)
    job.script.write_text("let guests: number = 1")

    class Complaining(FakeShell):
        def __call__(self, argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
            answer = super().__call__(argv, env, timeout_s)
            if argv[1] != "archive":
                return answer
            is_js = argv[-1] == str(job.script)
            wrong = "Line 1:11 Unexpected token :" if is_js else "no ./guests.ts"
            return said(stderr=wrong, code=107)

    with pytest.raises(ToolProblem, match=r"no \./guests\.ts"):
        k6.prepare(job, Complaining(**shell_of().answers))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"iterations": 10}, "1"),
        ({"iterations": 10, "vus": 2}, None),
        ({"scenarios": {"a": {}}, "iterations": 10}, None),
        ({}, None),
    ],
)
def test_a_script_that_counts_iterations_alone_has_one_user(
    k6: K6, tmp_path: Path, options: dict[str, Any], told: str | None
) -> None:
    shell, job = shell_of(), job_in(tmp_path)
    content = json.dumps({"options": options}).encode()
    with tarfile.open(tmp_path / "wedsync-archive.tar", "w") as tar:
        member = tarfile.TarInfo("metadata.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    k6.prepare(job, shell)
    asked = {argv[1]: env for argv, env in shell.asked}
    assert asked["inspect"].get("K6_VUS") == told
    assert "K6_VUS" not in k6.command(job, samples_fd=5, go_fd=6).env


def test_a_configuration_file_is_used_for_archive_and_run(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "hosts.json"
    config.write_text('{"hosts": {}}')
    monkeypatch.setenv("WEDSYNC_K6_CONFIG", str(config))
    shell, job = shell_of(), job_in(tmp_path)
    k6.prepare(job, shell)
    for argv in (shell.asked[1][0], k6.command(job, samples_fd=5, go_fd=6).argv):
        copy = Path(argv[argv.index("--config") + 1])
        assert copy.parent == job.workdir
        assert copy.read_text() == config.read_text()


def test_a_configuration_that_cannot_be_read_is_named(
    k6: K6, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_K6_CONFIG", "/nowhere/k6.json")
    with pytest.raises(ToolProblem, match=r"/nowhere/k6\.json, which cannot be read"):
        k6.prepare(job_in(tmp_path), shell_of())


def test_a_plan_longer_than_declared_is_refused_with_what_to_declare(
    k6: K6, tmp_path: Path
) -> None:
    with pytest.raises(ToolProblem, match=r"may take PT35S .*declares PT30S.*Declare PT35S") as e:
        k6.prepare(job_in(tmp_path, seconds=30), shell_of())
    assert e.value.code == "plan_too_long"


def test_a_plan_that_ends_exactly_in_time_is_allowed() -> None:
    refuse_longer(timedelta(seconds=30), timedelta(seconds=30))


def test_the_advice_is_in_whole_seconds() -> None:
    with pytest.raises(ToolProblem, match="Declare PT31S or more"):
        refuse_longer(timedelta(seconds=30.2), timedelta(seconds=30))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("35s", 35), ("10m30s", 630), ("1h0m0.5s", 3600.5), ("250ms", 0.25), ("0s", 0)],
)
def test_a_duration_of_go_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "None", "35", "s", "1 s", "-1s"])
def test_a_duration_that_k6_did_not_say_is_a_problem(text: str) -> None:
    with pytest.raises(ToolProblem):
        parse_duration(text)


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            "could not initialize 'a': could not load JS test 'file://{dir}/wedsync-script.js': "
            "file://{dir}/wedsync-script.js: Line 3:11 Unexpected token ;\n",
            "k6 cannot load the script: Line 3:11 Unexpected token ;",
        ),
        (
            "Error: boom\n\tat file://{dir}/script:2:7(13)\n\n",
            "k6 cannot load the script: Error: boom",
        ),
        (
            '"./x.js" is not on disk. Make sure that',
            'k6 cannot load the script: "./x.js" is not on disk',
        ),
        (
            "There were problems with the options:\n\t- no users\n\t- no time\n",
            "k6 cannot load the script: There were problems with the options: no users; no time",
        ),
        ("", "k6 cannot load the script: it ended with code 107"),
    ],
)
def test_a_broken_script_is_told_in_k6s_own_words(
    k6: K6, tmp_path: Path, stderr: str, words: str
) -> None:
    shell, job = (
        shell_of(archive=said(stderr=stderr.replace("{dir}", str(tmp_path)), code=107)),
        job_in(tmp_path),
    )
    job.script.touch()
    with pytest.raises(ToolProblem) as caught:
        k6.prepare(job, shell)
    assert str(caught.value) == words
    assert caught.value.code == "script_invalid"


@pytest.mark.parametrize("plan", [[], "text"])
def test_an_inspection_that_makes_no_sense_is_a_problem(
    k6: K6, tmp_path: Path, plan: object
) -> None:
    with pytest.raises(ToolProblem, match="not JSON"):
        k6.prepare(job_in(tmp_path), shell_of(plan=plan))


def test_k6_is_found_in_the_cache_of_wedsync_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEDSYNC_K6", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ToolProblem, match="wedsync tools"):
        K6().find()
    (tmp_path / "cache/wedsync/k6-1.8.1").mkdir(parents=True)
    cached = executable(tmp_path / "cache/wedsync/k6-1.8.1/k6")
    assert K6().find() == cached
    on_path = executable(tmp_path / "k6")
    assert K6().find() == on_path


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@contextlib.contextmanager
def fake_k6(job: Job, *inherits: int) -> Iterator[subprocess.Popen[bytes]]:
    """One that waits to be resumed, and ends when it was."""
    job.script.write_text('// {"seconds": 0}')
    words = ["--address", f"127.0.0.1:{job.port}", "--out", "json=/dev/null"]
    summary = ["--summary-export", str(job.workdir / "summary.json")]
    argv = [sys.executable, tests.fakes.k6.__file__, "run", *words, *summary, str(job.script)]
    with subprocess.Popen(argv, pass_fds=inherits) as process:
        try:
            until(lambda: K6().is_ready(job, K6Reader()), within=5, what="the fake k6")
            yield process
        finally:
            process.kill()


def test_a_k6_that_is_ready_is_told_to_go(k6: K6, tmp_path: Path, pipe: tuple[int, int]) -> None:
    job = replace(job_in(tmp_path), port=free_port())
    with fake_k6(job, pipe[0]) as process:
        k6.go(job, pipe[1])
        assert process.wait(5) == 0


@pytest.mark.parametrize(
    "tell",
    [
        lambda k6, job, go: k6.go(job, go),
        lambda k6, job, go: k6.share_setup(job, go, None),
        lambda k6, job, go: k6.tear_down(job, go),
    ],
)
def test_the_k6_of_another_run_is_told_nothing_though_it_has_our_port(
    k6: K6, tmp_path: Path, pipe: tuple[int, int], tell: Callable[[K6, Job, int], None]
) -> None:
    job = replace(job_in(tmp_path), port=free_port())
    (tmp_path / "wedsync-archive.tar").write_text("function setup() {}")
    with fake_k6(job) as process:
        with pytest.raises(ToolProblem, match="is another program's; it was stopped"):
            tell(k6, job, pipe[1])
        assert k6.is_ready(job, k6.reader())
        assert process.poll() is None


def test_a_k6_that_does_not_answer_is_a_problem(
    k6: K6, tmp_path: Path, pipe: tuple[int, int]
) -> None:
    """We are it: we listen, and hold its pipe."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        job = replace(job_in(tmp_path), port=server.getsockname()[1])
        hang_up = threading.Thread(target=lambda: server.accept()[0].close())
        hang_up.start()
        with pytest.raises(ToolProblem, match="could not be told to go") as caught:
            k6.go(job, pipe[1])
        hang_up.join(5)
    assert isinstance(caught.value.__cause__, httpx.HTTPError)


def test_go_without_k6_listening_is_a_problem(
    k6: K6, tmp_path: Path, pipe: tuple[int, int]
) -> None:
    with pytest.raises(ToolProblem, match="k6 was told nothing"):
        k6.go(job_in(tmp_path), pipe[1])


@pytest.mark.parametrize(
    ("code", "stderr", "kind", "sentence"),
    [
        (0, "whatever\n", "finished", "k6 finished."),
        (
            99,
            "thresholds on metrics 'checks' have been crossed\n",
            "thresholds_crossed",
            "Thresholds on metrics 'checks' have been crossed.",
        ),
        (99, "", "thresholds_crossed", "A threshold of the script was crossed."),
        (107, "Error: no luck\n\tat setup\n", "script_error", "The script failed: Error: no luck."),
        (105, "noise\n", "stopped", "k6 was told to stop."),
        (106, "", "tool_error", "k6 could not open its port on this machine."),
        (110, "", "thresholds_crossed", "The script marked the test as failed."),
        (255, "unknown flag\n", "tool_error", "k6 ended with code 255: unknown flag."),
    ],
)
def test_an_exit_code_becomes_a_sentence(
    k6: K6, code: int, stderr: str, kind: str, sentence: str
) -> None:
    ending = k6.explain(code, stderr)
    assert (ending.kind, ending.sentence) == (kind, sentence)
