from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from calendar_guard.models import Feed
from tests.calendar_guard.feeds.published import make_feed
from tests.fakes.calendars import CalendarServer


@pytest.fixture
def server(settings: Settings) -> Iterator[CalendarServer]:
    settings.WEDSYNC_FEED_NETWORKS = ["127.0.0.0/8"]
    with CalendarServer() as running:
        yield running


@pytest.fixture
def feed(server: CalendarServer) -> Feed:
    return make_feed(server.url())
