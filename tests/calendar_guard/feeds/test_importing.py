"""A test goes on while thousands of weddings are imported."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection

from calendar_guard import services
from calendar_guard.models import Feed
from tests.calendar_guard.examples import DAY, MINUTE
from tests.calendar_guard.feeds.published import NOW, entry, publish, sync
from tests.calendar_guard.running import grant
from tests.fakes.calendars import CalendarServer

pytestmark = pytest.mark.django_db
IMPORTED = 6_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.bulk
def test_a_renewal_does_not_wait_for_a_whole_import(server: CalendarServer, feed: Feed) -> None:
    """Three seconds without an answer would stop a test; on a quiet machine it waits 0.5 s."""
    publish(server)
    sync(feed)  # a feed that was never read permits nothing
    permit = grant()
    publish(
        server, *(entry(number, NOW + DAY + number * 20 * MINUTE) for number in range(IMPORTED))
    )
    done, waits = Event(), []

    def renew() -> None:
        while not done.wait(0.02):
            begun = time.monotonic()
            assert services.renew(permit_id=permit.id, doing="1/s", now=NOW + MINUTE).safe
            waits.append(time.monotonic() - begun)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(renew)
        begun = time.monotonic()
        try:
            word = sync(feed, NOW + MINUTE)
        finally:
            done.set()
        renewing.result()
    seconds = time.monotonic() - begun
    print(f"{word.saved} imported in {seconds:.1f} s; longest wait {max(waits):.2f} s")

    assert word.saved == IMPORTED
    assert max(waits) < seconds / 3, "on a machine that is busy with other things, too"
