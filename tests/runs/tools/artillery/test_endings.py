import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runs.tools import Job, OwnVerdict, ToolProblem
from runs.tools.artillery import Artillery
from tests.runs.tools.artillery.planning import PLAN, Planning


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
        (21, "", "marked_failed", "expect plugin"),
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
