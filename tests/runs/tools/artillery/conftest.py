from pathlib import Path

import pytest

from runs.tools import Job
from runs.tools.artillery import Artillery
from tests.runs.tools.fake_shell import executable, job_in


@pytest.fixture
def artillery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artillery:
    monkeypatch.setenv("WEDSYNC_ARTILLERY", str(executable(tmp_path / "artillery")))
    executable(tmp_path / "node")
    monkeypatch.setenv("PATH", str(tmp_path))
    return Artillery()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = job_in(tmp_path, seconds=60)
    job.script.write_text("config: {}\n")
    return job
