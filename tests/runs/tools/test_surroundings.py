"""A work directory belongs to a script's user, and we who write into it may be root."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from runs.tools.surroundings import open_left, put


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A file that no script may write."""
    path = tmp_path / "ours"
    path.write_text("of the stack")
    return path


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    path = tmp_path / "wedsync-work-1"
    path.mkdir()
    return path


def test_what_is_put_there_lies_there_for_the_tools_user(workdir: Path) -> None:
    assert put(workdir, "data/deep/a.csv", b"Anna") == workdir / "data/deep/a.csv"
    assert put(workdir, "data/deep/a.csv", b"Ben").read_bytes() == b"Ben"
    assert stat.S_IMODE((workdir / "data/deep/a.csv").stat().st_mode) == 0o644
    assert stat.S_IMODE((workdir / "data/deep").stat().st_mode) == 0o777
    assert os.listdir(workdir / "data/deep") == ["a.csv"]


def test_a_link_in_the_place_of_a_file_leads_us_nowhere(workdir: Path, ours: Path) -> None:
    (workdir / "plan.json").symlink_to(ours)
    put(workdir, "plan.json", b"{}")
    assert ours.read_text() == "of the stack"
    assert (workdir / "plan.json").read_bytes() == b"{}"


def test_a_link_in_the_place_of_a_folder_leads_us_nowhere(workdir: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (workdir / "data").symlink_to(tmp_path / "etc")
    with pytest.raises(OSError, match="directory"):
        put(workdir, "data/guests.csv", b"x")
    assert not os.listdir(tmp_path / "etc")


def test_a_link_in_the_place_of_the_work_directory_leads_us_nowhere(
    workdir: Path, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    shutil.rmtree(workdir)
    workdir.symlink_to(tmp_path / "etc")
    with pytest.raises(OSError, match="directory"):
        put(workdir, "passwd", b"x")
    assert not os.listdir(tmp_path / "etc")


def test_a_link_or_a_pipe_is_not_opened(workdir: Path, ours: Path) -> None:
    (workdir / "link").symlink_to(ours)
    os.mkfifo(workdir / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r"not a plain file|symbolic links"):
            open_left(workdir / name)
