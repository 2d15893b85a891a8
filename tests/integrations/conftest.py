from collections.abc import Iterator

import pytest

from tests.fakes.calendars import CalendarServer


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    with CalendarServer() as running:
        yield running
