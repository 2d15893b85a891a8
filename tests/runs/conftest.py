import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.contrib.auth.models import Permission, User

import clock
from calendar_guard.models import Wedding
from runs import services
from tests.conftest import MoveClock
from tests.runs.tools.local import Site, serve

FAKE_K6 = Path(__file__).parents[1] / "fakes" / "k6.py"
TUESDAY = datetime.fromisoformat("2026-06-09T10:00:00+02:00")


@pytest.fixture
def quiet_tuesday(move_clock: MoveClock) -> None:
    move_clock(TUESDAY)


@pytest.fixture
def fake_k6(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # A tool's environment is scrubbed, so under faketime it keeps the real date. k6 does too, being
    # a Go program; the stand-in is told the difference instead, since our own clock is moved there.
    real = int(subprocess.run(["date", "+%s"], env={}, capture_output=True, check=True).stdout)
    ahead = round(clock.real_now().timestamp()) - real
    script = tmp_path / "k6"
    script.write_text(
        f"#!{sys.executable}\n{FAKE_K6.read_text().replace('AHEAD_S = 0', f'AHEAD_S = {ahead}')}"
    )
    script.chmod(0o755)
    monkeypatch.setenv("WEDSYNC_K6", str(script))
    return script


@pytest.fixture
def engineer(db: Any) -> User:
    user = User.objects.create_user("ellen", password="ellen-pass")
    names = ["view_run", "add_run", "stop_run", "view_plan", "add_plan"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as site:
        yield site


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca(authority: trustme.CA) -> str:
    """The authority's own certificate, as a run brings it."""
    return authority.cert_pem.bytes().decode()


def begin_a_wedding() -> None:
    """Now, in whatever time the test is."""
    Wedding.objects.create(
        title="Anna and Ben",
        venue="Old Mill",
        zone="Europe/London",
        starts_at=clock.now(),
        ends_at=clock.now() + timedelta(hours=8),
        status="live",
    )


def request_for(
    mode: str = "steady", seconds: float = 1, worst: float | None = None, **words: Any
) -> services.Request:
    """A request whose script tells the stand-in how to behave."""
    plan = {"mode": mode, "seconds": seconds, "worst": worst or seconds, "rps": 50}
    script = f"// {json.dumps(plan)}\nexport default () => {{}}"
    defaults: dict[str, Any] = {
        "name": "guest rush",
        "tool": "k6",
        "script": script,
        "target": "http://127.0.0.1:9",
        "duration": timedelta(seconds=30),
    }
    return services.Request(**(defaults | words))
