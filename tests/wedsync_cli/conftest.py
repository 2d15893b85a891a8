import io
import sys
from pathlib import Path

import pytest

from wedsync_cli.say import Say
from wedsync_cli.words import Context


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def context(tmp_path: Path, out: io.StringIO) -> Context:
    """A checkout of its own, with a Python but nothing installed."""
    path = {"PATH": str(Path(sys.executable).parent), "HOME": str(tmp_path / "home")}
    return Context(root=tmp_path, env=path, say=Say(out))
