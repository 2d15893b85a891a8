"""What a script starts ends with its run: no environment, no session and no parent helps it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runs import process
from runs.fencing import doors
from runs.host import identity, launcher, living
from runs.host.identity import Identity
from runs.host.workdir import work_directory
from runs.outcome import Stop
from runs.process import Halted, Survivors, ToolProcess
from runs.tools import Command
from tests.waiting import until

PYTHON = Path("/usr/bin/python3")
ROOT = Path(__file__).parents[3]
US = Identity()
# A session of its own, no environment, and a parent that is gone: it says its number and lives on.
ESCAPE = "setsid env -i /bin/sh -c '/bin/sleep 60 & echo $! >&2'; "
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a warden out of reach")


def start(script: str, cwd: Path, who: Identity = US) -> ToolProcess:
    env = {"PATH": "/usr/bin:/bin"}
    return ToolProcess(lambda *_: Command(["/bin/sh", "-c", script], env), who=who, cwd=cwd)


def lives(pid: int) -> bool:
    return pid in living.members(pid)


def escaped(tool: ToolProcess) -> int:
    pid = int(until(lambda: tool.tail.strip(), within=5, what="the escape"))
    assert lives(pid)
    return pid


def test_who_escapes_is_gone_once_the_tool_ended_by_itself(tmp_path: Path) -> None:
    tool = start(ESCAPE + "until [ -e seen ]; do sleep 0.05; done; exit 3", tmp_path)
    pid = escaped(tool)
    (tmp_path / "seen").touch()
    assert until(lambda: tool.exit_code, within=5, what="the end") == 3
    assert not lives(pid)
    assert tool.end() == 0
    tool.close()


def test_who_escapes_is_gone_once_the_tool_was_stopped(tmp_path: Path) -> None:
    tool = start(ESCAPE + "exec sleep 60", tmp_path)
    pid = escaped(tool)
    assert tool.end() == 0
    assert tool.exit_code == -signal.SIGTERM
    assert not lives(pid)
    tool.close()


def test_who_escapes_is_gone_though_the_tool_had_to_be_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERM_GRACE_S", 0.3)
    tool = start("trap '' TERM; " + ESCAPE + "while :; do sleep 60; done", tmp_path)
    pid = escaped(tool)
    assert tool.end() == 0
    assert tool.exit_code == -signal.SIGKILL
    assert not lives(pid)
    tool.close()


WORKER = """
import sys, threading
from pathlib import Path
from runs.host.identity import Identity
from runs.process import ToolProcess
from runs.tools import Command
argv = ["/bin/sh", "-c", sys.argv[1] + "exec sleep 60"]
tool = ToolProcess(lambda *_: Command(argv, {}), who=Identity(), cwd=Path("/"))
while "\\n" not in tool.tail:
    threading.Event().wait(0.02)
print(tool.group, tool.tail.strip(), flush=True)
threading.Event().wait(60)
"""


def test_who_escapes_is_gone_once_the_worker_was_killed() -> None:
    argv = [sys.executable, "-c", WORKER, ESCAPE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as worker:
        assert worker.stdout is not None
        warden, pid = map(int, worker.stdout.readline().split())
        assert lives(pid)
        worker.kill()
    until(lambda: not lives(pid), within=2, what="the end of who escaped")
    until(lambda: not living.members(warden), within=2, what="the warden's end")


def test_who_forks_faster_than_one_can_look_is_gone_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each generation lives for a moment and leaves the next to the warden."""
    monkeypatch.setattr(process, "TERM_GRACE_S", 0.1)
    (tmp_path / "chain.py").write_text(CHAIN)
    steps = tmp_path / "steps"
    steps.touch()
    tool = start(f"trap '' TERM; env -i setsid {sys.executable} -IS chain.py & sleep 60", tmp_path)
    until(lambda: steps.stat().st_size > 50, within=10, what="the chain")
    assert tool.end() == 0
    before = steps.stat().st_size
    threading.Event().wait(0.2)
    assert steps.stat().st_size == before
    tool.close()


CHAIN = """
import os
steps = os.open("steps", os.O_WRONLY | os.O_APPEND)
for _ in range(20_000):  # were it not caught, it would still end
    if os.fork():
        os._exit(0)
    os.write(steps, b".")
"""


def test_a_script_that_signals_its_own_group_does_not_signal_its_warden(tmp_path: Path) -> None:
    tool = start("trap '' USR1; kill -USR1 0; sleep 0.1; exit 7", tmp_path)
    assert until(lambda: tool.exit_code, within=5, what="the end") == 7
    tool.close()


@needs_root
def test_a_script_cannot_end_its_warden_or_stop_it(tmp_path: Path) -> None:
    who = identity.choose(Path("/bin/sh"))
    with work_directory(who) as home:
        tool = start(f"{ESCAPE} kill -9 $PPID; kill -STOP $PPID; exec sleep 60", home, who)
        pid = int(until(lambda: tool.tail.split("\n")[0], within=5, what="the escape"))
        until(lambda: tool.tail.count("not permitted") == 2, within=5, what="both refusals")
        assert tool.end() == 0
        assert not lives(pid)
        tool.close()


@needs_root
@pytest.mark.skipif(not PYTHON.exists(), reason="nobody may run no Python of ours")
@pytest.mark.parametrize("fence", [None, doors.SHUT])
def test_who_escapes_is_gone_without_privileges_too(
    tmp_path: Path, fence: dict[str, Any] | None
) -> None:
    """A worker that is the user nobody, from the launcher on."""
    limits: dict[str, Any] = {"memory": 1 << 30, "file": 1 << 20}
    ours, theirs = os.pipe()
    who = {"parent": os.getpid(), "uid": None}
    terms = limits | who | {"fence": fence, "fds": [], "proof": theirs, "life": None}
    argv = [str(PYTHON), "-IS", launcher.__file__, json.dumps(terms)]
    argv += ["/bin/sh", "-c", ESCAPE + "exit 3"]
    nobody: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}
    done = subprocess.run(argv, **nobody, pass_fds=[theirs], stderr=subprocess.PIPE)
    os.close(theirs)
    proof = os.read(ours, 2)
    os.close(ours)
    if b"cannot get a network" in done.stderr:
        pytest.skip("this kernel gives no user namespace")
    assert (done.returncode, proof) == (3, b"b0")
    assert not lives(int(done.stderr))


def test_a_warden_that_its_own_user_stopped_is_woken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERM_GRACE_S", 0.3)
    tool = start(f"{ESCAPE} kill -STOP $PPID; exec sleep 60", tmp_path)
    pid = escaped(tool)
    began = time.monotonic()
    assert tool.end() == 0
    assert time.monotonic() - began < 1.5
    assert not lives(pid)
    tool.close()


def look_after(tool: ToolProcess) -> int:
    """What a sweep does once the worker is gone as well: the row is all that it knows."""
    return living.end_stranger(**{name.split("_")[1]: fact for name, fact in tool.facts.items()})


@pytest.mark.parametrize(("finish", "proven"), [(ToolProcess.end, None), (look_after, 0)])
def test_a_tool_dies_with_its_warden_and_its_mark_finds_the_rest(
    tmp_path: Path, finish: Callable[[ToolProcess], int | None], proven: int | None
) -> None:
    """The worker knows that it proves nothing; a sweep cannot tell."""
    tool = start("setsid sleep 60 & echo $! >&2; exec sleep 60", tmp_path)
    pid = int(until(lambda: tool.tail.strip(), within=5, what="the child"))
    found = [one for one in living.members(tool.group) if one != tool.group]
    assert len(found) == 2
    os.kill(tool.group, signal.SIGKILL)
    assert until(lambda: tool.exit_code, within=5, what="the warden's end") == -signal.SIGKILL
    until(lambda: [one for one in found if lives(one)] == [pid], within=5, what="the tool's death")
    assert finish(tool) == proven
    assert not lives(pid)
    tool.close()


def test_a_tool_whose_warden_was_killed_proves_nothing(tmp_path: Path) -> None:
    """Without its mark nobody finds what it leaves."""
    tool = start(ESCAPE + "kill -9 $PPID; exec sleep 60", tmp_path)
    pid = escaped(tool)
    until(lambda: tool.exit_code, within=5, what="the warden's end")
    assert tool.end() is None
    assert lives(pid)
    os.kill(pid, signal.SIGKILL)
    tool.close()


def test_a_tool_that_is_stopped_before_its_warden_began_left_nothing(tmp_path: Path) -> None:
    argv = ["/bin/sleep", "60"]
    for wait_s in (0, 0.002, 0.005, 0.01, 0.02):
        tool = start("exec sleep 60", tmp_path)
        threading.Event().wait(wait_s)
        assert tool.end() == 0
        tool.close()
        with pytest.raises(Halted):
            process.run(argv, {}, 5, who=US, cwd=tmp_path, why_stop=lambda: Stop("No."))


CROWDED = """
import resource, sys, threading
from pathlib import Path
from runs.host import identity
from runs.process import ToolProcess
from runs.tools import Command
from runs.host.workdir import work_directory
resource.setrlimit(resource.RLIMIT_NPROC, (1000, 1000))
with work_directory(who := identity.choose(Path("/bin/sh"))) as home:
    argv = ["/bin/sh", "-c", "grep processes /proc/self/limits >&2"]
    tool = ToolProcess(lambda *_: Command(argv, {"PATH": "/usr/bin:/bin"}), who=who, cwd=home)
    while tool.exit_code is None:
        threading.Event().wait(0.02)
    tool.end()
    print(tool.tail)
"""


@needs_root
def test_a_machine_that_allows_fewer_processes_keeps_its_own_limit() -> None:
    argv = [sys.executable, "-c", CROWDED]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, check=True)
    assert "1000" in done.stdout, done.stdout


def test_a_short_command_whose_warden_was_killed_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Survivors, match="nobody knows what is left running: look on") as caught:
        process.run(["/bin/sh", "-c", "kill -9 $PPID; sleep 9"], {}, 5, who=US, cwd=tmp_path)
    assert caught.value.left is None


@needs_root
def test_who_forks_without_end_meets_a_limit(tmp_path: Path) -> None:
    with work_directory(who := identity.choose(Path("/bin/sh"))) as home:
        tool = start("grep processes /proc/self/limits >&2; exec sleep 60", home, who)
        assert "4096" in until(lambda: tool.tail.strip(), within=5, what="its limit")
        tool.close()


@needs_root
def test_when_memory_is_short_the_kernel_takes_the_tool_first(tmp_path: Path) -> None:
    with work_directory(who := identity.choose(Path("/bin/sh"))) as home:
        tool = start("cat /proc/self/oom_score_adj >&2; exec sleep 60", home, who)
        assert until(lambda: tool.tail.strip(), within=5, what="its score") == "1000"
        assert Path("/proc/self/oom_score_adj").read_text().strip() != "1000"
        tool.close()


def test_what_a_short_command_leaves_is_gone_with_it(tmp_path: Path) -> None:
    done = process.run(["/bin/sh", "-c", ESCAPE + "exit 4"], {}, 5, who=US, cwd=tmp_path)
    assert done.code == 4
    assert not lives(int(done.stderr))


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGPIPE, signal.SIGKILL])
def test_a_tool_that_a_signal_ended_is_told_so(tmp_path: Path, number: int) -> None:
    tool = start(f"exec env --default-signal=PIPE sh -c 'kill -{number} $$'", tmp_path)
    assert until(lambda: tool.exit_code, within=5, what="the end") == -number
    tool.close()


@pytest.fixture(params=[False, True], ids=["heeding", "ignoring"])
def worker(request: pytest.FixtureRequest) -> Iterator[None]:
    """One that a shell started in the background ignores INT, and so would all that it starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if request.param else None
    yield
    if before is not None:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_tool_is_told_once_what_its_warden_is_told(tmp_path: Path, number: int) -> None:
    wait = "echo up >&2; while [ -z $n ]; do sleep 0.05; done; sleep 0.2"
    tool = start(f"trap 'echo told >&2; n=1' {number}; {wait}", tmp_path)
    until(lambda: "up" in tool.tail, within=5, what="the start")
    os.kill(tool.group, number)
    assert until(lambda: tool.exit_code is not None, within=5, what="the end")
    assert tool.end() == 0
    assert tool.tail.count("told") == 1
    tool.close()


def test_a_warden_holds_no_end_of_its_tools_pipes(tmp_path: Path) -> None:
    tool = start("exec sleep 60", tmp_path)
    until(lambda: len(living.members(tool.group)) == 2, within=5, what="the tool")
    held = Path(f"/proc/{tool.group}/fd")
    until(lambda: len(list(held.iterdir())) == 5, within=5, what="its letting go")
    links = sorted(os.readlink(one) for one in held.iterdir())
    assert links[:3] == [os.devnull] * 3
    assert all(link.startswith("pipe:") for link in links[3:]), "of its proof and its life alone"
    assert not set(links[3:]) & {
        os.readlink(f"/proc/self/fd/{end}") for end in (tool.samples, tool.go)
    }
    tool.close()


def test_a_reason_to_stop_ends_a_short_command_at_once(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    argv = ["/bin/sh", "-c", f"echo $$ > {pids}; trap '' TERM; while :; do :; done"]

    def why_stop() -> Stop | None:
        is_up = pids.exists() and pids.read_text().strip()
        return Stop("Stopped by ellen.") if is_up else None

    with pytest.raises(Halted) as caught:
        process.run(argv, {}, 30, who=US, cwd=tmp_path, why_stop=why_stop)
    assert caught.value.stop == Stop("Stopped by ellen.")
    assert time.time() - pids.stat().st_mtime < 5
    assert not lives(int(pids.read_text()))
