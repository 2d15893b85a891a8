import hashlib
import io
import os
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from wedsync_cli import index, tools
from wedsync_cli.words import Context, Problem


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_k6_is_taken_from_its_variable_then_path_then_our_cache(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert tools.find_k6(env) is None

    cached = _program(tmp_path / ".cache/wedsync/k6-1.8.1/k6")
    assert tools.find_k6(env) == cached
    on_path = _program(tmp_path / "bin/k6")
    assert tools.find_k6(env) == on_path
    named = _program(tmp_path / "mine")
    assert tools.find_k6({**env, "WEDSYNC_K6": str(named)}) == named


@pytest.mark.parametrize("wrong", ["/no/k6", "/usr/bin"])
def test_a_wrong_wedsync_k6_is_told_and_not_passed_over(wrong: str) -> None:
    with pytest.raises(Problem, match=f"WEDSYNC_K6 names {wrong}, which is no program"):
        tools.find_k6({"WEDSYNC_K6": wrong})


def test_a_wrong_wedsync_locust_is_told_and_not_passed_over(context: Context) -> None:
    wrong = replace(context, env={"WEDSYNC_LOCUST": "/no/locust"})
    with pytest.raises(Problem, match="WEDSYNC_LOCUST names /no/locust, which is no program"):
        tools.find_locust(wrong)


def test_the_cache_follows_the_persons_own_cache_folder() -> None:
    assert tools.k6_cache({"XDG_CACHE_HOME": "/c"}) == Path("/c/wedsync/k6-1.8.1")


def test_only_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    _program(tmp_path / "google-chrome")
    _program(tmp_path / "faketime")

    missing = tools.missing_packages({"PATH": str(tmp_path)})

    assert "chromium" not in missing
    assert "faketime" not in missing
    assert tools.install_line(["faketime"]) == "sudo apt-get install -y faketime"


def test_a_published_checksum_is_found_by_the_archives_name() -> None:
    sums = "aa  k6-v1.8.1-linux-arm64.tar.gz\nbb  k6-v1.8.1-linux-amd64.tar.gz\n"

    assert tools.checksum(sums, "k6-v1.8.1-linux-amd64.tar.gz") == "bb"
    assert tools.checksum(sums, "k6-v1.8.1-windows-amd64.zip") == ""


def test_a_system_without_a_release_is_told_what_to_do() -> None:
    assert tools.release_name("linux", "aarch64") == "linux-arm64"
    with pytest.raises(Problem, match="no k6 archive for win32"):
        tools.release_name("win32", "AMD64")


def _release(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo("k6-v1.8.1-linux-amd64/k6")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the release page offers, by the end of the address."""
    files: dict[str, bytes] = {}
    monkeypatch.setattr(tools, "release_name", lambda system, machine: "linux-amd64")
    monkeypatch.setattr(
        index, "download", lambda url, env: files[url.rpartition("/")[2].split(".")[-1]]
    )
    return files


def test_a_release_is_unpacked_into_the_cache(
    context: Context, tmp_path: Path, release: dict[str, bytes]
) -> None:
    archive = _release(b"the program")
    sum_ = hashlib.sha256(archive).hexdigest()
    release |= {"gz": archive, "txt": f"{sum_}  k6-v1.8.1-linux-amd64.tar.gz\n".encode()}
    context = replace(context, env={"HOME": str(tmp_path), "PATH": "/nowhere"})

    k6 = tools.ensure_k6(context)

    assert k6.read_bytes() == b"the program"
    assert tools.find_k6(context.env) == k6


def test_a_release_with_another_checksum_is_not_kept(
    context: Context, tmp_path: Path, release: dict[str, bytes]
) -> None:
    release |= {"gz": _release(b"evil"), "txt": b"00  k6-v1.8.1-linux-amd64.tar.gz\n"}
    context = replace(context, env={"HOME": str(tmp_path), "PATH": "/nowhere"})

    with pytest.raises(Problem, match="arrived damaged"):
        tools.ensure_k6(context)

    assert tools.find_k6(context.env) is None


@pytest.mark.skipif(not tools.SYSTEM_PYTHON.exists(), reason="the system has no Python")
def test_tools_of_root_get_a_python_that_nobody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "python"  # in a folder of pytest, which is open to its owner alone
    ours.touch()
    monkeypatch.setattr(sys, "executable", str(ours))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tools.python_of_tools() == tools.SYSTEM_PYTHON
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert tools.python_of_tools() == ours
