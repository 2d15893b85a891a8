import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runs.samples import REQUESTS, Key
from runs.tools import Finished, ToolProblem
from runs.tools.locust import Locust, run_time_s, spawn_rate
from runs.tools.locust.lines import LocustReader
from tests.runs.tools.fake_shell import FakeShell, executable, job_in, said
from tests.runs.tools.locust.shell import shell_of


def test_a_script_that_loads_is_planned_to_end_in_time(locust: Locust, tmp_path: Path) -> None:
    prepared = locust.prepare(job_in(tmp_path, seconds=60, users=20), shell_of())
    assert (prepared.version, prepared.worst_case) == ("2.47.0", timedelta(seconds=60))
    assert (prepared.nominal, prepared.peak_users) == (timedelta(seconds=57), 20)
    assert (prepared.peak_rate, prepared.warnings) == (None, ())


def test_a_shape_decides_on_users_and_time_itself_and_that_is_said(
    locust: Locust, tmp_path: Path
) -> None:
    listed = said("Available Users:\n    Guest\nwedsync shape: Waves\n")
    prepared = locust.prepare(job_in(tmp_path, users=20), shell_of(listed))
    assert (prepared.is_bounded, prepared.peak_users, prepared.nominal) == (False, None, None)
    assert "LoadTestShape (Waves) decides" in prepared.warnings[0]


def test_variables_and_secrets_reach_the_script_by_the_environment_alone(
    locust: Locust, tmp_path: Path
) -> None:
    words: dict[str, Any] = {
        "variables": {"GUESTS": "200"},
        "secrets": {"TOKEN": "hush-hush"},
    }
    command = locust.command(job_in(tmp_path, **words), samples_fd=5, go_fd=6)
    assert (command.env["GUESTS"], command.env["TOKEN"]) == ("200", "hush-hush")
    assert "hush" not in repr(command) + repr(job_in(tmp_path, **words))


def test_a_targets_last_slash_is_not_doubled_by_the_scripts_first(
    locust: Locust, tmp_path: Path
) -> None:
    """Locust's FastHttpUser made no request at all to "http://127.0.0.1:9000//"."""
    job = replace(job_in(tmp_path), target="http://127.0.0.1:9000/app/")
    argv = locust.command(job, samples_fd=5, go_fd=6).argv
    assert argv[argv.index("-H") + 1] == "http://127.0.0.1:9000/app"


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (
            said(stderr='  File "{script}", line 12\n    )))\nSyntaxError: unmatched\n', code=1),
            "Locust cannot load the script: line 12: SyntaxError: unmatched",
        ),
        (said(stderr="Could not find it\n", code=1), "cannot load the script: Could not find it"),
        (said(stderr="", code=1), "cannot load the script: it said nothing"),
        (said("Available Users:\n"), "finds no User class"),
        (said(""), "finds no User class"),
    ],
)
def test_a_broken_script_is_told_in_locusts_own_words(
    locust: Locust, tmp_path: Path, listed: Finished, words: str
) -> None:
    job = job_in(tmp_path)
    told = said(listed.stdout, listed.stderr.replace("{script}", str(job.script)), listed.code)
    with pytest.raises(ToolProblem, match=words) as caught:
        locust.prepare(job, shell_of(told))
    assert caught.value.code == "script_invalid"


def test_a_locust_that_does_not_start_is_a_problem(locust: Locust, tmp_path: Path) -> None:
    shell = FakeShell(version=said(stderr="ImportError: gevent\n", code=1))
    with pytest.raises(ToolProblem, match="does not start: ImportError: gevent"):
        locust.prepare(job_in(tmp_path), shell)


def test_the_tap_is_loaded_before_the_script_and_told_its_pipes(
    locust: Locust, tmp_path: Path
) -> None:
    job = job_in(tmp_path, seconds=60, users=20)
    locust.prepare(job, shell_of())
    command = locust.command(job, samples_fd=5, go_fd=6)
    words = " ".join(command.argv)
    ours = ",".join(str(tmp_path / f"wedsync_{name}.py") for name in ("reach", "tap", "last"))
    assert f"-f {ours},{job.script} " in words
    assert "-H http://site.example -u 20 -r 3.33333 -t 57s" in words
    assert (command.env["WEDSYNC_SAMPLES_FD"], command.env["WEDSYNC_GO_FD"]) == ("5", "6")
    assert (tmp_path / "wedsync_tap.py").exists()


def test_locust_inherits_nothing_but_the_path(
    locust: Locust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_USERS", "500")
    shell = shell_of()
    locust.prepare(job_in(tmp_path), shell)
    assert all("LOCUST_USERS" not in env for _, env in shell.asked)


@pytest.mark.parametrize(("seconds", "run_time"), [(60, 57), (5.9, 2), (3, 1), (1, 1)])
def test_locust_ends_by_itself_before_the_hard_stop(seconds: float, run_time: int) -> None:
    assert run_time_s(timedelta(seconds=seconds)) == run_time


@pytest.mark.parametrize(
    ("users", "seconds", "rate"), [(1, 60, 1), (20, 20, 10), (1000, 3600, 100)]
)
def test_all_users_are_there_soon(users: int, seconds: int, rate: float) -> None:
    assert spawn_rate(users, timedelta(seconds=seconds)) == rate


def test_go_is_one_byte(locust: Locust, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    locust.go(job_in(tmp_path), writing)
    assert os.read(reading, 10) == b"g"
    os.close(reading)
    with pytest.raises(ToolProblem, match="ended before"):
        locust.go(job_in(tmp_path), writing)
    os.close(writing)


def test_locust_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEDSYNC_LOCUST", raising=False)
    monkeypatch.setattr("runs.tools.locust._VENV", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolProblem, match="nor on PATH"):
        Locust().find()
    found = executable(tmp_path / "locust")
    assert Locust().find() == found


def test_tags_are_those_of_locusts_own_command_line(locust: Locust, tmp_path: Path) -> None:
    tags = {"LOCUST_TAGS": "slow  rsvp", "LOCUST_EXCLUDE_TAGS": "admin", "GUESTS": "2"}
    command = locust.command(job_in(tmp_path, variables=tags), samples_fd=5, go_fd=6)
    assert " --tags slow rsvp --exclude-tags admin --headless " in " ".join(command.argv)
    assert {name for name in command.env if "TAGS" in name} == set()
    assert command.env["GUESTS"] == "2"


def test_a_tag_is_no_way_to_another_option(locust: Locust, tmp_path: Path) -> None:
    job = job_in(tmp_path, variables={"LOCUST_TAGS": "slow --users=5000"})
    with pytest.raises(ToolProblem, match="“--users=5000”; it is tags"):
        locust.prepare(job, shell_of())


def test_classes_with_several_hosts_are_told_that_one_target_is_loaded(
    locust: Locust, tmp_path: Path
) -> None:
    hosts = "wedsync host: http://a.example\nwedsync host: http://b.example\n"
    prepared = locust.prepare(job_in(tmp_path), shell_of(said("Available Users:\n  A\n" + hosts)))
    assert prepared.is_bounded
    assert "2 hosts (http://a.example, http://b.example); here all of them" in prepared.warnings[0]


def test_what_the_tap_had_to_drop_is_known() -> None:
    reader = LocustReader()
    reader.feed(b'{"hello":1}\n{"users":1,"at":5,"dropped":3,"cells":[]}\n')
    assert (reader.hello, reader.dropped) == (True, 3)


def test_an_address_gets_its_method_and_loses_its_query() -> None:
    reader = LocustReader()
    line = b'{"users":1,"at":5,"dropped":0,"cells":[[5,"GET","/a?token=1",[2.0],1,0]]}\n'
    batch = reader.feed(b'{"hello":1}\n' + line + line)
    key = Key(REQUESTS, "GET /a")
    assert list(batch.cells) == [(5, key)]
    assert (batch.cells[5, key].values, batch.users) == ([2.0, 2.0], {5: 1})
