"""A work directory lives as long as whoever works in it, and leaves with them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

import clock
from runs import services, tasks
from runs.host import identity, workdir
from runs.host.identity import Identity
from runs.host.workdir import work_directory
from runs.models import Run, State
from runs.tools import placing
from tests.runs.conftest import request_for

ROOT = Path(__file__).parents[3]
WORKER = """
import subprocess, threading
from pathlib import Path
from runs.host import identity
from runs.host.workdir import work_directory
with work_directory(identity.choose(Path("/bin/sh"))) as home:
    (home / "script.js").write_text("hush-hush")
    tool = subprocess.Popen(["/bin/sleep", "60"], cwd=home)
    print(home, tool.pid, flush=True)
    threading.Event().wait(60)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folders of these tests are, and no others."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def killed(place: Path) -> Iterator[Path]:
    """What a worker left that was killed in it, beside a tool that lives on."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(place)},
    ) as worker:
        assert worker.stdout is not None
        home, tool = worker.stdout.readline().split()
        workdir.sweep()
        assert Path(home).exists()
        worker.kill()
    yield Path(home)
    os.kill(int(tool), signal.SIGKILL)


def test_a_folder_is_gone_with_its_work(place: Path) -> None:
    with work_directory(identity.choose(Path("/bin/sh"))) as home:
        (home / "script.js").write_text("hush-hush")
    assert list(place.iterdir()) == []


def test_what_a_killed_worker_left_is_gone_before_the_next_begins(
    killed: Path, place: Path
) -> None:
    assert (killed / "script.js").exists()
    with work_directory(Identity()) as home:
        assert list(place.iterdir()) == [home]


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_lost_run_leaves_no_folder_to_wait_for_the_next(killed: Path, engineer: User) -> None:
    word = services.start(by=engineer, request=request_for(), now=clock.now())
    long_ago = clock.real_now() - tasks.LOST_AFTER - timedelta(seconds=1)
    silent = {"state": State.RUNNING, "host": socket.gethostname(), "heartbeat_at": long_ago}
    Run.objects.filter(pk=word.id).update(**silent)
    tasks.sweep()
    assert Run.objects.get(pk=word.id).state == "lost"
    assert not killed.exists()


def test_a_folder_in_which_somebody_works_stays(place: Path) -> None:
    with ExitStack() as many:
        homes = {many.enter_context(work_directory(Identity())) for _ in range(3)}
        assert set(place.iterdir()) == homes


def test_what_is_no_folder_of_ours_stays(place: Path) -> None:
    precious = place / "precious"
    precious.mkdir()
    (precious / "letter").touch()
    (place / f"{placing.PREFIX}link").symlink_to(precious)
    (place / f"{placing.PREFIX}file").touch()
    workdir.sweep()
    assert len(list(place.rglob("*"))) == 4


def test_a_new_folder_that_a_sweep_takes_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = tempfile.mkdtemp, []

    def make_late(*, prefix: str) -> str:
        made.append(make(prefix=prefix))
        if len(made) == 1:
            workdir.sweep()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", make_late)
    with work_directory(Identity()) as home:
        assert list(place.iterdir()) == [home] == [Path(made[1])]


def _deepen(folder: Path, levels: int) -> None:
    (folder / "beside").touch()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.symlink("/", "link", dir_fd=here)
    os.close(here)


def test_folders_in_folders_deeper_than_python_recurses_are_gone_with_their_work(
    place: Path,
) -> None:
    with work_directory(Identity()) as home:
        _deepen(home, 3 * sys.getrecursionlimit())
    assert list(place.iterdir()) == []


def test_a_folder_that_a_script_made_deep_keeps_no_other_run_from_beginning(place: Path) -> None:
    (left := place / f"{placing.PREFIX}deep").mkdir()
    _deepen(left, 3 * sys.getrecursionlimit())
    with work_directory(Identity()) as home:
        assert list(place.iterdir()) == [home]


def test_folders_that_a_script_closed_are_gone_with_their_work(place: Path) -> None:
    with work_directory(Identity()) as home:
        (home / "a" / "b").mkdir(parents=True)
        (home / "a" / "b" / "c").touch()
        (home / "a" / "b").chmod(0)
        (home / "a").chmod(0)
    assert list(place.iterdir()) == []
