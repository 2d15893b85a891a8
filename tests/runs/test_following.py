"""A tool that waits, with a stand-in for its process."""

import time
from datetime import timedelta
from pathlib import Path
from typing import cast

from runs.following import Follower
from runs.process import ToolProcess
from runs.tools import Job, get_tool


class Child:
    """Says nothing, and does not end."""

    exit_code = None

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> bytes | None:
        self.reads += 1
        return None


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
