"""Runs that a test drives itself, at its side or in a thread."""

import threading
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

import clock
from runs import engine, services
from runs.models import Run
from tests.runs.conftest import request_for


def begin(engineer: User, mode: str = "steady", seconds: float = 1, **words: Any) -> Run:
    """A run that no worker takes; the words of `request_for`."""
    request = request_for(mode, seconds, **words)
    word = services.start(by=engineer, request=request, now=clock.now())
    return Run.objects.get(pk=word.id)


def in_background(run: Run) -> threading.Thread:
    return begin_thread(lambda: engine.execute(run.pk))


def begin_thread(work: Callable[[], object]) -> threading.Thread:
    """With a connection to the database of its own, which is closed at its end."""

    def work_and_close() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=work_and_close)
    thread.start()
    return thread


def state(run: Run) -> str:
    return str(Run.objects.values_list("state", flat=True).get(pk=run.pk))


def outcome(word: services.RunWord) -> str:
    assert word.verdict is not None
    return f"{word.verdict['outcome']}: {word.verdict['reason']}"
