from collections.abc import Mapping
from dataclasses import replace

import pytest

from runs.tools import Finished, Job, ToolProblem
from runs.tools.artillery import Artillery
from tests.runs.tools.artillery.planning import PLAN, Planning, planned
from tests.runs.tools.fake_shell import said


def test_an_engine_that_nobody_has_is_left_to_artillery_which_ends_as_by_hand() -> None:
    assert planned(scenarios=[{"engine": "kafka"}]).scenarios[0].engine == "kafka"


def test_every_host_that_the_script_names_is_told_once() -> None:
    plan = planned(
        target="https://u:p@site.example:8443",
        urls=["http://cdn.example", "http://cdn.example", "http://{{ where }}", "ws://u:p@[x"],
    )
    assert plan.hosts == ("site.example:8443", "cdn.example", "[x")


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
