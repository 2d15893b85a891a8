from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from runs.models import Run
from tests.conftest import MoveClock

TUESDAY = datetime.fromisoformat("2026-06-09T10:00:00+01:00")
SATURDAY = datetime.fromisoformat("2026-06-13T14:00:00+01:00")
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}

AddRun = Callable[..., Run]


@pytest.fixture
def quiet_tuesday(move_clock: MoveClock) -> None:
    move_clock(TUESDAY)


def _person(name: str, *permissions: str) -> User:
    user = User.objects.create_user(name, password=f"{name}-has-a-password")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def engineer(db: Any) -> User:
    return _person("ellen", "view_run", "add_run", "stop_run", "view_plan", "add_plan")


@pytest.fixture
def viewer(db: Any) -> User:
    return _person("vera", "view_run", "view_plan")


@pytest.fixture
def engineers_client(engineer: User) -> Client:
    client = Client()
    client.force_login(engineer)
    return client


@pytest.fixture
def add_run(engineer: User) -> AddRun:
    """A run as history, two minutes long at most, that nothing drives."""

    def add(**words: Any) -> Run:
        defaults: dict[str, Any] = {
            "name": "Saturday guest rush",
            "tool": "k6",
            "script": "export default () => {}",
            "target": "http://127.0.0.1:8090",
            "duration": timedelta(minutes=2),
            "requested_by": engineer,
            "created_at": TUESDAY,
            "heartbeat_at": TUESDAY,
        }
        return Run.objects.create(**(defaults | words))

    return add


def ended(outcome: str, reason: str, **words: Any) -> dict[str, Any]:
    return {
        "state": outcome,
        "verdict": {"outcome": outcome, "reason": reason, "checks": []},
        "started_at": TUESDAY,
        "ended_at": TUESDAY + timedelta(seconds=61),
        "processes_left": 0,
    } | words
