"""The guard's policy as the environment says it; what makes no sense is refused at the start."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from calendar_guard.rules import Policy
from wedsync_loadtest import guard

NAMES = (
    *("ZONES", "HOME_ZONE", "PROTECTED_WEEKDAYS", "BUFFER"),
    *("MONDAY_HOUR", "HORIZON", "SEASON"),
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"WEDSYNC_{name}", raising=False)


def test_without_a_word_it_is_the_policy_of_the_rules() -> None:
    assert Policy(**guard.policy()) == Policy()


@pytest.mark.parametrize(
    ("name", "said", "field", "read"),
    [
        ("PROTECTED_WEEKDAYS", "Saturday, friday", "protected_weekdays", (4, 5)),
        ("SEASON", "11-4", "season", (11, 12, 1, 2, 3, 4)),
        ("SEASON", "6-6", "season", (6,)),
        ("BUFFER", "PT30M", "buffer", timedelta(minutes=30)),
        ("HORIZON", "P90D", "horizon", timedelta(days=90)),
        ("MONDAY_HOUR", "6", "monday_hour", 6),
        ("ZONES", "Europe/Berlin,Asia/Kolkata", "zones", ("Europe/Berlin", "Asia/Kolkata")),
        ("ZONES", "Europe/Berlin,Asia/Kolkata", "home_zone", "Europe/Berlin"),
    ],
)
def test_a_word_of_the_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str, field: str, read: Any
) -> None:
    monkeypatch.setenv(f"WEDSYNC_{name}", said)
    assert guard.policy()[field] == read


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("PROTECTED_WEEKDAYS", ",", "at least one day"),
        ("PROTECTED_WEEKDAYS", "caturday", "at least one day"),
        ("SEASON", "summer", "first and last month"),
        ("SEASON", "0-13", "from 1 to 12"),
        ("BUFFER", "15", "not an ISO 8601 duration"),
        ("BUFFER", "P2D", "longest"),
        ("MONDAY_HOUR", "24", "0 to 23"),
        ("HORIZON", "P1D", "P7D"),
        ("HOME_ZONE", "Mars/Base", "no time zone"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_next_step(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str, told: str
) -> None:
    monkeypatch.setenv(f"WEDSYNC_{name}", said)
    with pytest.raises(ImproperlyConfigured, match=told) as refusal:
        guard.policy()
    assert f"WEDSYNC_{name}" in str(refusal.value)
