"""What the API says where it cannot answer at all."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from calendar_guard import services

pytestmark = pytest.mark.django_db
WINDOW = "/api/load-testing/window?duration=PT30M"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def breaking(error: Exception) -> Callable[..., Any]:
    def broken(**words: Any) -> None:
        raise error

    return broken


@pytest.mark.parametrize(
    "error",
    [OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left")],
)
def test_a_full_disk_or_a_database_that_is_away_is_a_503_in_words(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(services, "check", breaking(error))
    answer = client.get(WINDOW)
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["code"] == "unavailable"
    assert "try again in a minute, and tell ops if it lasts" in answer.json()["detail"]


def test_what_nobody_foresaw_is_a_500_in_words(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "check", breaking(IntegrityError("a fault of ours")))
    answer = client.get(WINDOW)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "fault"
    assert "a fault of ours" not in answer.text
