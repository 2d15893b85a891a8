"""Real processes that record at once leave one chain."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from audit import services

ROOT = Path(__file__).parents[2]
WRITERS, EACH = 4, 50


def start() -> subprocess.Popen[str]:
    name = str(connection.settings_dict["NAME"])
    return subprocess.Popen(
        [sys.executable, "-m", "tests.audit.writer", name, str(EACH)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.bulk
def test_racing_processes_leave_one_unforked_chain() -> None:
    writers = [start() for _ in range(WRITERS)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        began = time.perf_counter()
        for number, writer in enumerate(writers):
            assert writer.stdin is not None
            print(f"writer {number}", file=writer.stdin, flush=True)
        assert [writer.wait(60) for writer in writers] == [0] * WRITERS
        took = time.perf_counter() - began
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()

    words = services.entries(limit=1000)
    assert services.verify().broken is None
    assert len(words) == services.verify().count == WRITERS * EACH
    turns = sum(a.actor != b.actor for a, b in zip(words, words[1:], strict=False))
    print(f"{len(words) / took:,.0f} recorded/s by {WRITERS} processes, {turns} turns")
