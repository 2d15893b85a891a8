"""A tool that waits, with a stand-in for its process."""

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from runs import following, process
from runs.following import Follower
from runs.outcome import Stop
from runs.process import ToolProcess
from runs.tools import Job, ToolProblem, get_tool
from runs.tools.k6 import K6
from tests.waiting import until


class Child:
    """Says nothing, and does not end."""

    exit_code: int | None = None
    is_forsaken = False

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> bytes | None:
        self.reads += 1
        return None

    def end(self) -> int:
        return 0

    def let_out(self) -> None:
        """Nothing."""

    def let_live(self) -> None:
        """Nothing."""

    def terminate(self) -> None:
        """Nothing."""

    def kill(self) -> None:
        """Nothing."""


def test_a_question_to_the_database_is_asked_less_often_than_the_tool_is_read() -> None:
    child, asked = Child(), list[float]()

    def is_there() -> bool:
        asked.append(time.monotonic())
        return len(asked) == 3

    job = Job("1", Path("x.js"), Path(), "http://127.0.0.1:9", timedelta(seconds=1), None, 9)
    follower = Follower(get_tool("k6"), job, cast(ToolProcess, child), lambda: None)
    assert follower.wait_for(is_there, every_s=0.1)
    assert asked[2] - asked[0] >= 0.2
    assert child.reads > len(asked)


class Forsaken(Child):
    """Its warden ended it."""

    exit_code = -9
    is_forsaken = True


def test_a_tool_that_lost_its_worker_for_a_while_was_not_killed_for_want_of_memory() -> None:
    child = cast(ToolProcess, Forsaken())
    job = Job("1", Path("x.js"), Path(), "http://127.0.0.1:9", timedelta(seconds=1), None, 9)
    follower = Follower(get_tool("k6"), job, child, lambda: None)
    assert not follower.get_ready()
    assert follower.end() == 0
    assert follower.stop
    assert follower.stop.outcome == "errored"
    assert "stood still, so nobody asked the wedding calendar" in follower.stop.reason


class Deaf(K6):
    """Ends, so it cannot be told to go."""

    def go(self, job: Job, go_fd: int) -> None:
        raise ToolProblem("It could not be told to go.", code="tool_error")


class Ended(Child):
    """Between its end and our knowing of it."""

    go, lives = -1, 0

    def let_live(self) -> None:
        self.lives += 1


def test_a_tool_that_the_guard_ended_before_it_could_go_keeps_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the database is long about the last move: no fault of the tool's."""
    monkeypatch.setattr(following, "LATE_S", 0.1)
    said: list[Stop | None] = [None]
    job = Job("1", Path("x.js"), Path(), "http://127.0.0.1:9", timedelta(seconds=9), None, 9)
    monkeypatch.setattr(Deaf, "is_ready", lambda *_: True)
    child = Ended()
    follower = Follower(Deaf(), job, cast(ToolProcess, child), lambda: said[0])
    assert follower.get_ready()
    until(lambda: child.lives > 1, within=5, what="the word that it may live")
    said[0] = Stop("The calendar did not answer.")
    until(lambda: follower.stop, within=5, what="the guard's word")
    assert not follower.go()
    assert follower.end() == 0
    assert follower.stop == said[0]


class Talker(Child):
    """Tells more than anybody can read in time."""

    def __init__(self) -> None:
        super().__init__()
        self.ended_by: list[str] = []

    def read(self) -> bytes | None:
        return b"{}"

    def terminate(self) -> None:
        self.ended_by.append("TERM")

    def kill(self) -> None:
        self.ended_by.append("KILL")


def test_a_no_ends_a_tool_whose_samples_nobody_can_read_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "LATE_S", 0.1)
    monkeypatch.setattr(process, "TERM_GRACE_S", 0.1)
    child, is_read, said = Talker(), threading.Event(), Stop("A wedding began.")
    job = Job("1", Path("x.js"), Path(), "http://127.0.0.1:9", timedelta(seconds=9), None, 9)
    follower = Follower(get_tool("k6"), job, cast(ToolProcess, child), lambda: said)
    monkeypatch.setattr(follower, "_ingest", lambda chunk: is_read.wait(10))
    reader = threading.Thread(target=follower.get_ready)
    reader.start()
    try:
        until(lambda: child.ended_by == ["TERM", "KILL"], within=5, what="the end by force")
    finally:
        is_read.set()
        reader.join(5)
    assert child.ended_by == ["TERM", "KILL"]
    assert follower.stop == said
