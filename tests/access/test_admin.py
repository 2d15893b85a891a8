from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

import clock
from access.admin import told
from access.models import Token
from tests.access.conftest import HOUR, NOW
from tests.conftest import MoveClock

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (29 * DAY + HOUR, "in 29 days, Wed 8 Jul 2026, 11:00 UTC"),
        (HOUR, "in 1 hour, Tue 9 Jun 2026, 11:00 UTC"),
        (-timedelta(seconds=30), "0 minutes ago, Tue 9 Jun 2026, 09:59 UTC"),
        (-2 * DAY, "2 days ago, Sun 7 Jun 2026, 10:00 UTC"),
    ],
)
def test_a_tokens_time_is_told_by_how_far_it_is(after: timedelta, said: str) -> None:
    assert told(NOW + after, now=NOW, moved=False) == said


def test_on_a_moved_clock_a_tokens_time_is_called_real(
    admin_client: Client, keeper: User, move_clock: MoveClock
) -> None:
    move_clock(clock.real_now() - 200 * DAY)
    Token.objects.create(user=keeper, hashed="a", expires_at=clock.real_now() + 2.5 * DAY)
    page = admin_client.get("/admin/access/token/").content.decode()

    assert "in 2 days, " in page
    assert "UTC in real time" in page
