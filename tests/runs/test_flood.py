"""A tool that writes as much as the pipe takes: nothing is lost, nothing grows, nobody waits."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from runs import services
from tests.runs.driving import begin, in_background

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
    run = begin(engineer, "flood", 5, duration=timedelta(seconds=20))
    worker = in_background(run)
    sizes = []
    while worker.is_alive():
        worker.join(0.1)
        sizes.append(resident_mb())
    word = services.get_run(run_id=str(run.pk))
    said = re.search(r"flooded: (\d+) lines, waited ([\d.]+) s", word.log_tail)
    assert said, word.log_tail
    assert word.totals is not None
    assert word.totals["requests"] == int(said[1]) > 100_000
    assert float(said[2]) < LONGEST_WAIT_S
    assert max(sizes) - sizes[len(sizes) // 3] < MOST_MORE_MB
