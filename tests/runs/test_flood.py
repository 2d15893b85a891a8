"""A tool that writes as much as the pipe takes: nothing is lost, nothing grows, nobody waits."""

import os
import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection

import clock
from runs import engine, services
from tests.runs.conftest import request_for

MOST_MORE_MB, LONGEST_WAIT_S = 40, 1.0


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.paced
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6")
def test_a_flood_loses_no_sample_takes_no_more_memory_and_never_holds_the_tool_up(
    engineer: User,
) -> None:
    request = request_for("flood", 5, duration=timedelta(seconds=20))
    run_id = services.start(by=engineer, request=request, now=clock.now()).id
    worker = threading.Thread(target=work, args=[int(run_id)])
    worker.start()
    sizes = []
    while worker.is_alive():
        worker.join(0.1)
        sizes.append(resident_mb())
    word = services.get_run(run_id=run_id)
    said = re.search(r"flooded: (\d+) lines, waited ([\d.]+) s", word.log_tail)
    assert said, word.log_tail
    assert word.totals is not None
    assert word.totals["requests"] == int(said[1]) > 100_000
    assert float(said[2]) < LONGEST_WAIT_S
    assert max(sizes) - sizes[len(sizes) // 3] < MOST_MORE_MB


def work(run_id: int) -> None:
    try:
        engine.execute(run_id)
    finally:
        connection.close()
