from pathlib import Path

import pytest

from runs.tools.locust import Locust
from tests.runs.tools.fake_shell import executable


@pytest.fixture
def locust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Locust:
    monkeypatch.setenv("WEDSYNC_LOCUST", str(executable(tmp_path / "locust")))
    return Locust()
