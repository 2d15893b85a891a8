from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings

import clock
from tests.valkey import Valkey, free_port

MoveClock = Callable[[datetime], None]


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
    server = Valkey(free_port())
    server.start()
    yield server
    server.close()
