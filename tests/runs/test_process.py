import os
import resource
import sys
import threading
from pathlib import Path

import pytest

from runs import process
from runs.host import identity, launcher, living
from runs.host.identity import Identity
from runs.host.workdir import work_directory
from runs.outcome import Stop
from runs.process import Survivors, ToolProcess
from runs.tools import Command, ToolProblem
from tests.waiting import until

SHELL = "/bin/sh"
US = Identity()


def sh(script: str) -> list[str]:
    return [SHELL, "-c", script]


def start(script: str, cwd: Path, who: Identity = US) -> ToolProcess:
    def command(samples: int, go: int) -> Command:
        env = {"PATH": "/usr/bin:/bin", "SAMPLES": str(samples), "GO": str(go)}
        return Command(argv=sh(script), env=env)

    return ToolProcess(command, who=who, cwd=cwd)


def read_all(tool: ToolProcess) -> bytes:
    until(lambda: tool.exit_code is not None, within=10, what="the tool's end")
    return b"".join(iter(lambda: tool.read() or b"", b""))


def test_a_tool_writes_samples_once_it_may_go(tmp_path: Path) -> None:
    tool = start(
        'read word < /dev/fd/$GO; echo "$word" > /dev/fd/$SAMPLES; echo aside >&2', tmp_path
    )
    assert tool.read() is None
    os.write(tool.go, b"go\n")
    assert read_all(tool) == b"go\n"
    assert tool.end() == 0
    assert tool.tail == "aside\n"
    tool.close()


def test_who_finds_the_pipe_of_samples_once_the_tool_may_go_cannot_open_it() -> None:
    """As k6's handleSummary would, which writes files of any name."""
    who = identity.choose(Path(SHELL))
    script = """
        exec 8> /dev/fd/$SAMPLES; touch open; until [ -e go ]; do sleep 0.05; done; echo real >&8
        echo forged > /proc/self/fd/$SAMPLES || echo kept >&2
    """
    with work_directory(who) as home:
        tool = start(script, home, who)
        until((home / "open").exists, within=5, what="its own way to the pipe, as k6's")
        tool.let_out()
        (home / "go").touch()
        said = read_all(tool)
        assert tool.end() == 0
        assert said == b"real\n" or (os.geteuid() == 0 and who.uid is None)
        assert tool.tail.endswith("kept\n")
        tool.close()


def test_a_tail_names_no_folder_of_ours() -> None:
    with work_directory(US) as home:
        tool = start("echo at file://$PWD/lib/x.js and $PWD/wedsync-script.js:3 >&2", home)
        until(lambda: tool.exit_code is not None, within=5, what="the end")
        tool.end()
        assert tool.tail == "at lib/x.js and the script:3\n"
        tool.close()


def test_a_tool_that_ignores_term_is_killed_with_its_children(tmp_path: Path) -> None:
    tool = start("trap '' TERM; sleep 60 & sleep 60 & echo up >&2; wait; sleep 60", tmp_path)
    until(lambda: "up" in tool.tail, within=5, what="the start")
    assert len(living.members(tool.group)) == 4  # and their warden
    assert (tool.end(), tool.is_forsaken) == (0, False)
    assert living.members(tool.group) == []
    tool.close()


@pytest.mark.parametrize("room", range(8))
def test_a_worker_that_has_no_room_for_a_tool_keeps_nothing_open(tmp_path: Path, room: int) -> None:
    limit, before = resource.getrlimit(resource.RLIMIT_NOFILE), set(os.listdir("/proc/self/fd"))
    filled = [os.open(os.devnull, os.O_RDONLY)]
    while filled[-1] <= max(map(int, before)):
        filled.append(os.open(os.devnull, os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (filled[-1] + 1 + room, limit[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            start("exit 0", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        for each in filled:
            os.close(each)
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.paced
@pytest.mark.skipif(sys.platform != "linux", reason="waits for signals with a time-out")
def test_a_tool_of_which_nobody_says_any_more_that_it_may_live_is_ended(tmp_path: Path) -> None:
    """So ends the tool of a worker that was stopped or hangs: nobody there asks a calendar."""
    tool = start("trap '' TERM; sleep 60 & echo up >&2; wait; sleep 60", tmp_path)
    until(lambda: "up" in tool.tail, within=5, what="the start")
    pause, silence = threading.Event(), launcher.SILENCE_S
    pause.wait(silence + 1)
    assert tool.exit_code is None  # nobody has said it yet
    for _ in range(int(silence) + 2):
        tool.let_live()
        pause.wait(1)
    assert tool.exit_code is None
    until(lambda: living.members(tool.group) == [], within=silence + 2, what="the end")
    assert (tool.end(), tool.is_forsaken) == (0, True)
    tool.close()


def test_a_group_of_a_dead_worker_is_ended_but_not_a_reused_number(tmp_path: Path) -> None:
    tool = start("exec sleep 60", tmp_path)
    assert tool.born is not None
    living.end_stranger(tool.group, tool.born + 1, "the mark of another")
    assert tool.group in living.members(tool.group)
    assert living.end_stranger(tool.group, tool.born, tool.facts["process_mark"]) == 0
    assert living.members(tool.group) == []
    tool.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_a_tool_of_root_runs_as_nobody_and_may_write_its_samples(tmp_path: Path) -> None:
    who = identity.choose(Path(SHELL))
    with work_directory(who) as home:
        tool = start("id -un > /dev/fd/$SAMPLES; touch mine", home, who)
        assert read_all(tool) == b"nobody\n"
        assert (home / "mine").exists()
        tool.close()
    assert not home.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_a_script_whose_interpreter_is_private_to_root_stays_root_and_says_so(
    tmp_path: Path,
) -> None:
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    who = identity.choose(script)
    assert who.uid is None
    assert "not open to the user nobody" in who.why


def test_a_tool_gets_the_environment_it_was_given_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATADOG_API_KEY", "secret")
    done = process.run(["/usr/bin/env"], {"A": "1"}, 5, who=US, cwd=tmp_path)
    assert "A=1" in done.stdout.splitlines()
    assert "DATADOG" not in done.stdout


def test_a_command_that_hangs_is_ended_and_explained(tmp_path: Path) -> None:
    with pytest.raises(ToolProblem, match=r"sh did not answer within 0\.3 s"):
        process.run(sh("sleep 60"), {}, 0.3, who=US, cwd=tmp_path)


def test_what_of_a_short_command_no_kill_ends_is_told_before_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process of a test is proof against KILL, so here none is looked for."""
    monkeypatch.setattr(living, "end", lambda group, mark: 2)
    with pytest.raises(Survivors, match="2 processes that sh started did not end.* Look") as caught:
        process.run(sh("sleep 0.2"), {}, 5, who=US, cwd=tmp_path, why_stop=lambda: Stop("No."))
    assert (caught.value.left, caught.value.code) == (2, "survivors")


def test_a_limit_of_memory_that_is_no_number_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_TOOL_MEMORY_MIB", "4G")
    with pytest.raises(ToolProblem, match="MIB is “4G” on this worker; it is a number of MiB"):
        process.run(sh("true"), {}, 5, who=US, cwd=tmp_path)


def test_of_a_long_answer_the_end_is_kept(tmp_path: Path) -> None:
    shout = f"head -c {process.LONGEST_ANSWER} /dev/zero | tr '\\0' x; echo Available Users:"
    done = process.run(sh(shout), {"PATH": "/usr/bin:/bin"}, 20, who=US, cwd=tmp_path)
    assert done.stdout.endswith("xAvailable Users:\n")
    assert len(done.stdout) == process.LONGEST_ANSWER


@pytest.mark.skipif(os.geteuid() != 0, reason="only root looks who may run a program")
def test_a_program_whose_interpreter_is_gone_is_missing(tmp_path: Path) -> None:
    script = tmp_path / "locust"
    script.write_text("#!/gone/python3.11\n")
    with pytest.raises(ToolProblem, match="/gone/python3.11 is gone.*wedsync tools") as caught:
        identity.choose(script)
    assert caught.value.code == "tool_missing"


def test_a_program_that_cannot_be_executed_says_so(tmp_path: Path) -> None:
    done = process.run([str(tmp_path / "missing")], {}, 5, who=US, cwd=tmp_path)
    assert done.code != 0
    assert "cannot be executed" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a program that makes one root")
def test_a_tool_becomes_nobody_else_by_a_program_that_would_make_it_root() -> None:
    who = identity.choose(Path(SHELL))
    with work_directory(who) as home:
        sudo = home / "sudo"
        sudo.write_bytes(Path("/usr/bin/id").read_bytes())
        os.chown(sudo, 0, 0)
        sudo.chmod(0o4755)
        said = process.run([str(sudo), "-u"], {}, 5, who=who, cwd=home)
    assert said.stdout == f"{who.uid}\n"
