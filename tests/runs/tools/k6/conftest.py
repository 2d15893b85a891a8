from pathlib import Path

import pytest

from runs.tools.k6 import K6
from tests.runs.tools.fake_shell import executable


@pytest.fixture
def k6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> K6:
    monkeypatch.setenv("WEDSYNC_K6", str(executable(tmp_path / "k6")))
    monkeypatch.delenv("WEDSYNC_K6_CONFIG", raising=False)
    (tmp_path / "script").touch()
    return K6()
