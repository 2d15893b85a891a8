import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import tests.fakes.k6
from runs.host import ports
from runs.tools import Job, ToolProblem
from runs.tools.k6 import K6
from runs.tools.k6.lines import K6Reader
from tests.runs.tools.fake_shell import job_in
from tests.waiting import until


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
    job = replace(job_in(tmp_path), port=ports.free())
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
    job = replace(job_in(tmp_path), port=ports.free())
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
