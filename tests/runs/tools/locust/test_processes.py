"""One run of Locust on several cores: its own master and workers, heard as one tool."""

import fcntl
import os
import signal
import subprocess
import termios
import threading
import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from runs.samples import Batch
from runs.tools import Job, ToolProblem
from runs.tools.locust import Locust, lines
from runs.tools.locust.lines import LocustReader
from tests.runs.tools.fake_shell import job_in
from tests.runs.tools.local import LocalRun, Site, job_of, serve, tool_here
from tests.runs.tools.locust.shell import python, shell_of
from tests.waiting import until

SCRIPT = """
import os
from locust import HttpUser, constant_pacing, task

class Guest(HttpUser):
    wait_time = constant_pacing(0.1)

    @task
    def look(self):
        self.client.get(f"/{os.getpid()}", name="a long name" * 90)
        self.client.get("/bad", name="bad")
"""
LOAD_TAP = """
import importlib.util, sys
from types import SimpleNamespace
spec = importlib.util.spec_from_file_location("tap", sys.argv[1])
tap = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tap)
ours = getattr(tap, sys.argv[2])()
ours.runner = SimpleNamespace(user_count=7)
"""
STORM = """
ours.pipe.is_shared = True
print("here", flush=True)
sys.stdin.read()
names = [char * 300 for char in ("/a", "\\N{RING}", "\\N{BRIDE WITH VEIL}", '"', "\\0", "\\ud800")]
for number in range(12_000):
    failed = ConnectionRefusedError() if number % 3 == 0 else None
    name = names[number % len(names)]
    ours.count(name, name, 1e12 - 1 / (number % 7 + 1), failed, None)
    if number % 1000 == 0:
        ours.pipe.drain(8)
ours.flush()
ours.pipe.drain(8)
"""
IDLE = """
print("here", flush=True)
sys.stdin.read()
ours.flush()
"""
UNHEARD = """
tap.MOST_PENDING, tap.FAREWELL_S = 200_000, 0.1
ours.pipe.is_shared = sys.argv[2] == "WorkerTap"
for number in range(20_000):
    ours.count("GET", f"/{number % 40}/" + "long" * 50, 1.25, None, None)
ours.flush()
print("here", flush=True)
sys.stdin.read()
ours.take_leave()
"""


def job_on(processes: str, workdir: Path, shard: tuple[int, int] = (0, 1)) -> Job:
    return replace(job_in(workdir), variables={"LOCUST_PROCESSES": processes}, shard=shard)


def workers(site: Site) -> set[int]:
    return {int(path[1:]) for path in site.paths if path != "/bad"}


@pytest.mark.tool
def test_what_several_processes_request_is_told_once_and_not_before_go(tmp_path: Path) -> None:
    tool = tool_here("locust")
    with serve() as site:
        job = job_of(tool, SCRIPT, tmp_path, target=site.url, seconds=5, users=5)
        job = replace(job, variables={"LOCUST_PROCESSES": "3"})
        with LocalRun(tool, job) as run:
            run.wait_until_ready()
            run.read(0.5)
            assert not site.paths
            run.go()
            assert run.read_to_end() == 0, run.stderr
    assert len(workers(site)) == 3
    totals = run.aggregator.totals()
    assert totals.requests == len(site.paths) > 50
    assert (totals.users, totals.errors) == (5, site.paths.count("/bad"))
    assert (run.reader.garbage, run.reader.dropped) == (0, 0)


@pytest.mark.tool
def test_workers_do_not_outlive_a_master_that_is_killed(tmp_path: Path) -> None:
    tool = tool_here("locust")
    with serve() as site:
        job = job_of(tool, SCRIPT, tmp_path, target=site.url, seconds=60, users=4)
        job = replace(job, variables={"LOCUST_PROCESSES": "2"})
        with LocalRun(tool, job) as run:
            run.wait_until_ready()
            run.go()
            run.read_until_samples()
            os.kill(run.process.pid, signal.SIGKILL)
            killed = time.monotonic()
            run.read_to_end(5)  # when the last of them has closed the pipe
            assert time.monotonic() - killed < 2


@pytest.mark.tool
def test_lines_of_several_processes_do_not_mix_and_none_is_too_long(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    storm = [tapping(STORM, kind, writing) for kind in ("Tap", "WorkerTap", "WorkerTap")]
    os.close(writing)
    let_all_go(storm)
    reader, seen = LocustReader(), 0
    reader.feed(b'{"hello":1}\n')
    until(lambda: fill_of(reading) > 40_000, within=30, what="a full pipe")
    while chunk := os.read(reading, 4096):  # slowly, so that it stays so
        seen += counted(reader.feed(chunk))
    os.close(reading)
    assert [process.wait(10) for process in storm] == [0, 0, 0]
    assert (seen, reader.garbage, reader.dropped) == (36_000, 0, 0)


@pytest.mark.tool
@pytest.mark.parametrize(("kind", "tells"), [("Tap", True), ("WorkerTap", False)])
def test_a_worker_that_has_nothing_to_tell_does_not_come_before_the_masters_hello(
    kind: str, tells: bool
) -> None:
    reading, writing = os.pipe()
    process = tapping(IDLE, kind, writing)
    os.close(writing)
    let_all_go([process])
    assert process.wait(10) == 0
    assert bool(os.read(reading, 4096)) is tells
    os.close(reading)


@pytest.mark.tool
@pytest.mark.parametrize("kind", ["Tap", "WorkerTap"])
def test_what_nobody_took_in_time_is_told_as_the_last_word(kind: str) -> None:
    reading, writing = os.pipe()
    process = tapping(UNHEARD, kind, writing)
    os.close(writing)
    let_all_go([process])
    threading.Event().wait(0.2)  # the tap has waited longer than it may
    reader, seen = LocustReader(), 0
    reader.feed(b'{"hello":1}\n')
    while chunk := os.read(reading, 65536):
        seen += counted(reader.feed(chunk))
    os.close(reading)
    assert process.wait(10) == 0
    assert seen > 0 < reader.dropped
    assert (seen + reader.dropped, reader.garbage) == (20_000, 0)


def tapping(script: str, kind: str, pipe: int) -> subprocess.Popen[bytes]:
    """Locust's own Python, with our tap of this kind."""
    tap = str(Path(lines.__file__).with_name("tap.py"))
    return subprocess.Popen(
        [python(), "-c", LOAD_TAP + script, tap, kind],
        env={"WEDSYNC_SAMPLES_FD": str(pipe), "WEDSYNC_GO_FD": "0"},
        pass_fds=(pipe,),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def let_all_go(storm: list[subprocess.Popen[bytes]]) -> None:
    for process in storm:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.stdout.close()
    for process in storm:
        assert process.stdin is not None
        process.stdin.close()


def fill_of(pipe: int) -> int:
    """The bytes that wait in it."""
    count = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def counted(batch: Batch) -> int:
    return sum(cell.count for cell in batch.cells.values())


def test_what_each_process_had_to_drop_adds_up() -> None:
    reader = LocustReader()
    reader.feed(b'{"hello":1}\n')
    for by, dropped in ((7, 3), (8, 4), (7, 5)):
        reader.feed(b'{"by":%d,"dropped":%d,"cells":[]}\n' % (by, dropped))
    assert reader.dropped == 9


def test_the_master_is_on_loopback_at_the_runs_own_port(locust: Locust, tmp_path: Path) -> None:
    job = job_on("4", tmp_path)
    command = locust.command(job, samples_fd=5, go_fd=6)
    words = " ".join(command.argv)
    assert "--processes 4 --master-bind-host 127.0.0.1 --master-bind-port 6565 " in words
    assert words.endswith("--master-host 127.0.0.1 --master-port 6565")
    assert "LOCUST_PROCESSES" not in command.env
    assert "--processes" not in locust.command(job_in(tmp_path), samples_fd=5, go_fd=6).argv


@pytest.mark.parametrize("said", ["0", "-1", "65", "many", "2.5", ""])
def test_a_number_of_processes_that_makes_no_sense_is_refused(
    locust: Locust, tmp_path: Path, said: str
) -> None:
    with pytest.raises(ToolProblem, match="it is a number from 1 to 64 here"):
        locust.prepare(job_on(said, tmp_path), shell_of())


def test_a_shard_is_one_process(locust: Locust, tmp_path: Path) -> None:
    with pytest.raises(ToolProblem, match="Ask for more shards"):
        locust.prepare(job_on("2", tmp_path, shard=(0, 3)), shell_of())
