import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runs.tools import Job, placing
from runs.tools.k6 import K6
from tests.runs.tools.fake_shell import FakeShell, bring, executable, job_in, said

TEXT = "export default function () {}\n"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = job_in(tmp_path)
    job.script.write_text(TEXT)
    return job


def find(job: Job) -> str | None:
    found = placing.find(job, TEXT.encode(), {".js", ".ts"})
    return None if found is None else str(found.relative_to(job.workdir))


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, None),
        ({"load.js": "// another\n", "tests/load.ts": TEXT}, "tests/load.ts"),
        ({"b.js": TEXT, "a.js": TEXT}, "a.js"),
        ({"z/load.js": TEXT, "a/b/load.js": TEXT}, "z/load.js"),
        ({"script.ts": TEXT}, None),
        ({"tests/script.ts": TEXT}, "tests/script.ts"),
        ({"node_modules/x/load.js": TEXT, "wedsync-plugins/load.js": TEXT}, None),
        ({"notes.txt": TEXT}, None),
    ],
)
def test_the_first_file_with_the_same_text_is_the_script(
    job: Job, files: dict[str, str], found: str | None
) -> None:
    bring(job, files)
    assert find(job) == found


def link_to_the_script(path: Path) -> None:
    path.symlink_to("script")


def link_to_a_folder_outside(path: Path) -> None:
    outside = path.parent.with_name(f"{path.parent.name}-outside")
    outside.mkdir()
    (outside / "load.js").write_text(TEXT)
    path.symlink_to(outside)


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, link_to_the_script, link_to_a_folder_outside]
)
def test_what_is_no_plain_file_is_not_taken_for_the_script(
    job: Job, make: Callable[[Path], object]
) -> None:
    make(job.workdir / "a.js")
    assert find(job) is None


def test_a_file_that_is_larger_than_any_script_is_not_read(job: Job) -> None:
    with open(job.workdir / "a.js", "wb") as file:
        file.truncate(placing.LARGEST + 1)
    text = bytes(placing.LARGEST + 1)
    assert placing.find(job, text, {".js"}) is None


def test_k6_reads_no_pipe_and_follows_no_link_while_it_looks(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_K6", str(executable(job.workdir / "k6")))
    link_to_the_script(job.workdir / "b.js")
    os.mkfifo(job.workdir / "c.js")
    shell = FakeShell(
        version=said("k6 v1.8.1"), archive=said(), inspect=said('{"totalDuration": "5s"}')
    )
    K6().prepare(job, shell)
    assert shell.asked[1][0][-1] == str(job.script)
