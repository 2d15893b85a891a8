import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.mortal import MORTAL
from tests.waiting import until
from tests.wedsync_cli import stand_in
from wedsync_cli import processes
from wedsync_cli.children import BackOff, Child, LogSays
from wedsync_cli.say import Say
from wedsync_cli.supervise import Supervisor
from wedsync_cli.words import Problem

ROOT = Path(__file__).resolve().parents[2]
_TOOL = re.compile(r"tool (\d+)\n")


class Stack:
    """The stand-in stack as a person started it."""

    def __init__(self, logs: Path, mark: str, names: Sequence[str]) -> None:
        self._logs = logs
        self.process = subprocess.Popen(
            [*MORTAL, sys.executable, "-m", "tests.wedsync_cli.stand_in", str(logs), mark, *names],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        # Direct children: the reaper, sleeper, stubborn and worker; and the worker's own tool.
        self.pids = {p.pid for p in self.living() if p.parent == self.process.pid} | {self.tool}

    @property
    def tool(self) -> int:
        log = self._logs / "worker.log"
        return int(until(lambda: _TOOL.search(log.read_text()), within=20, what="the tool")[1])

    def living(self) -> set[processes.Process]:
        table = processes.running()
        return processes.members(table, leaders={self.process.pid}, mark="")

    def left(self) -> set[int]:
        return self.pids & set(processes.running())


Start = Callable[..., Stack]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    stacks: list[Stack] = []

    def start(*names: str) -> Stack:
        stacks.append(Stack(tmp_path, uuid.uuid4().hex, names))
        return stacks[-1]

    yield start
    for stack in stacks:
        if stack.process.poll() is None:
            stack.process.send_signal(signal.SIGTERM)
        stack.process.communicate(timeout=20)


def test_ctrl_c_stops_everything_within_five_seconds_a_tool_included(start: Start) -> None:
    stack = start("sleeper", "stubborn", "worker")
    began = time.monotonic()

    stack.process.send_signal(signal.SIGINT)
    words, _ = stack.process.communicate(timeout=20)

    assert time.monotonic() - began < 5
    assert stack.left() == set()
    assert words.endswith("stopped\n")


def test_a_second_ctrl_c_does_not_wait_for_the_stubborn(start: Start) -> None:
    stack = start("sleeper", "stubborn", "worker")
    stack.process.send_signal(signal.SIGINT)
    until(lambda: len(stack.left()) < len(stack.pids), within=20, what="the first end")
    began = time.monotonic()

    stack.process.send_signal(signal.SIGINT)
    stack.process.communicate(timeout=20)

    assert time.monotonic() - began < 2
    assert stack.left() == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_term_and_a_hang_up_stop_as_gently_as_ctrl_c(start: Start, number: int) -> None:
    stack = start("sleeper", "worker")
    stack.process.send_signal(number)
    words, _ = stack.process.communicate(timeout=20)

    assert words.endswith("stopped\n")
    assert stack.left() == set()


def test_kill_9_of_the_launcher_leaves_nothing_behind(start: Start) -> None:
    stack = start("sleeper", "stubborn", "worker")
    assert len(stack.pids) == 5

    stack.process.kill()

    until(lambda: not stack.left(), within=20, what="the end of all")


def test_what_a_marked_process_started_without_the_mark_is_of_the_stack_too() -> None:
    """As the warden of a load tool has what its script started, once the worker is gone."""
    stack_id = uuid.uuid4().hex
    script = "env -i setsid sleep 60 & echo $!; wait"
    with subprocess.Popen(
        ["/bin/sh", "-c", script],
        env={"PATH": os.defpath, "WEDSYNC_STACK": stack_id},
        stdout=subprocess.PIPE,
        text=True,
    ) as warden:
        assert warden.stdout
        child = int(warden.stdout.readline())
        environment = Path(f"/proc/{child}/environ")
        until(lambda: _runs(child, "sleep") and not environment.read_bytes(), within=5, what="it")

        def of_the_stack() -> set[processes.Process]:
            mark = f"WEDSYNC_STACK={stack_id}"
            return processes.members(processes.running(), leaders=(), mark=mark)

        assert {process.pid for process in of_the_stack()} == {warden.pid, child}
        processes.end(of_the_stack, grace=5)


def test_a_dead_child_is_started_again_and_the_person_is_told(start: Start) -> None:
    stack = start("sleeper", "worker")
    (child,) = (
        p.pid for p in stack.living() if p.pid in stack.pids and _runs(p.pid, stand_in.SLEEPER)
    )

    os.kill(child, signal.SIGKILL)

    assert stack.process.stdout
    assert stack.process.stdout.readline().startswith(
        "sleeper ended (code -9); starting it again in 0.5 s"
    )
    until(
        lambda: any(
            _runs(p.pid, stand_in.SLEEPER) for p in stack.living() if p.pid not in stack.pids
        ),
        within=20,
        what="the new start",
    )


@pytest.fixture
def supervise(tmp_path: Path, out: io.StringIO) -> Iterator[Callable[[], Supervisor]]:
    made: list[Supervisor] = []

    def make() -> Supervisor:
        quick = BackOff(first=timedelta(milliseconds=50))
        made.append(
            Supervisor(
                root=ROOT,
                logs=tmp_path,
                stack_id=uuid.uuid4().hex,
                say=Say(out),
                back_off=quick,
            )
        )
        return made[0]

    yield make
    for supervisor in made:
        supervisor.stop(hurry=threading.Event())


def test_a_child_that_dies_while_it_starts_is_a_problem_with_its_last_words(
    supervise: Callable[[], Supervisor],
) -> None:
    program = "import sys; sys.exit('the port is taken')"
    broken = Child("web", (sys.executable, "-c", program), os.environ, LogSays("never"))

    with pytest.raises(Problem) as problem:
        supervise().start(broken)

    assert problem.value.what == "web ended with code 1 while it was starting."
    assert problem.value.why == "the port is taken"


def test_a_child_that_never_becomes_ready_is_a_problem(
    supervise: Callable[[], Supervisor],
) -> None:
    slow = Child(
        "web",
        (sys.executable, "-c", stand_in.SLEEPER),
        os.environ,
        LogSays("never"),
        patience=timedelta(milliseconds=200),
    )

    with pytest.raises(Problem, match="web did not answer in time"):
        supervise().start(slow)


def test_a_child_whose_log_was_removed_is_started_again_when_it_dies(
    supervise: Callable[[], Supervisor], tmp_path: Path, out: io.StringIO
) -> None:
    supervisor, child = supervise(), _sleeper(Path(sys.executable))
    supervisor.start(child)
    supervisor.watch()

    (tmp_path / "web.log").unlink()
    time.sleep(0.3)  # the watch has looked for it
    _kill(child)

    until(lambda: "starting it again in 0.05 s" in out.getvalue(), within=5, what="the word")
    until(lambda: supervisor.left() == 1, within=20, what="the new start")


def test_a_child_that_cannot_be_started_again_is_tried_until_it_can(
    supervise: Callable[[], Supervisor], tmp_path: Path, out: io.StringIO
) -> None:
    program = tmp_path / "python"
    program.symlink_to(sys.executable)
    supervisor, child = supervise(), _sleeper(program)
    supervisor.start(child)
    supervisor.watch()

    program.unlink()
    _kill(child)
    until(lambda: out.getvalue().count("could not be started") > 1, within=20, what="two tries")
    assert "No such file or directory" in out.getvalue()
    assert "starting it again in 0.2 s" in out.getvalue()

    program.symlink_to(sys.executable)
    until(lambda: supervisor.left() == 1, within=20, what="the new start")


def _sleeper(program: Path) -> Child:
    argv = (str(program), "-c", stand_in.SLEEPER, uuid.uuid4().hex)
    return Child("web", argv, os.environ, LogSays("ready."))


def _kill(child: Child) -> None:
    (pid,) = (pid for pid in processes.running() if _runs(pid, child.argv[-1]))
    os.kill(pid, signal.SIGKILL)


def _runs(pid: int, program: str) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")
    except OSError:
        return False
    return program in words
