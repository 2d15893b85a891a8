"""HYPOTHESIS_PROFILE=slow compares judge and reference ten thousand times, not 300; few, 60."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import hypothesis
import pytest
from django.conf import settings
from django.db import connection

import clock
from tests import ports
from tests.audit.flushing import flush_around_triggers
from tests.runs.seeding import this_machine_outlives_a_flush
from tests.valkey import Valkey

for name, examples in (("few", 60), ("plain", 100), ("usual", 300), ("slow", 10_000)):
    hypothesis.settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,  # a busy machine is no error
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
is_hurried = os.environ.get("HYPOTHESIS_PROFILE") == "few"
hypothesis.settings.load_profile("few" if is_hurried else "plain")

MoveClock = Callable[[datetime], None]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Tests that flush may empty the audit; nothing else may. This machine stays a target."""
    with flush_around_triggers(connection.ops), this_machine_outlives_a_flush():
        yield


@pytest.fixture
def move_clock(monkeypatch: pytest.MonkeyPatch) -> MoveClock:
    """Moves the calendar's present as `--at` does."""

    def move(to: datetime) -> None:
        offset = round((to - clock.real_now()) / timedelta(seconds=1))
        monkeypatch.setenv("WEDSYNC_CLOCK_OFFSET", str(offset))

    return move


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """The Valkey that the settings name: broker, channel layer and live streams."""
    server = Valkey(int(settings.WEDSYNC_VALKEY_URL.rpartition(":")[2].partition("/")[0]))
    server.start()
    yield server
    server.close()


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """One for this test alone, to be killed and frozen."""
    server = Valkey(ports.keep())
    server.start()
    yield server
    server.close()
