"""However the stack ends, no load goes on behind anybody's back."""

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.stories.stack import running_stack, short_rush
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]


def test_kill_9_of_the_launcher_leaves_nothing_behind(tmp_path: Path, guest_site: str) -> None:
    with running_stack(tmp_path) as stack:
        run_id = stack.start(guest_site, script=short_rush(40))
        stack.wait_for(run_id, "running")
        assert len(stack.processes()) > 6
        os.kill(stack.process.pid, signal.SIGKILL)
        until(lambda: not stack.processes(), within=10, what="the end of every process")


def test_ctrl_c_stops_everything_within_five_seconds_and_says_so(
    tmp_path: Path, guest_site: str
) -> None:
    with running_stack(tmp_path) as stack:
        run_id = stack.start(guest_site, script=short_rush(40))
        stack.wait_for(run_id, "running")
        began = time.monotonic()
        os.kill(stack.process.pid, signal.SIGINT)
        assert stack.process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert stack.processes() == []
        with sqlite3.connect(stack.data / "wedsync.sqlite3") as database:
            row = database.execute("SELECT state, verdict FROM runs_run WHERE id = ?", [run_id])
            state, verdict = row.fetchone()
        database.close()
        assert state == "aborted"
        assert "worker was shut down" in verdict
