import subprocess
import sys
from pathlib import Path

import pytest

from tests.mortal import MORTAL
from tests.waiting import until

ROOT = Path(__file__).parents[1]
STARTS_ONE = """
import subprocess, time
from tests.mortal import MORTAL
print(subprocess.Popen([*MORTAL, "sleep", "60"], start_new_session=True).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not MORTAL, reason="setpriv is not on this machine")
def test_what_a_killed_test_process_had_started_ends_too() -> None:
    argv = [sys.executable, "-c", STARTS_ONE]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        pid = int(tests.stdout.readline())
        until(lambda: words_of(pid) == b"sleep\x0060\0", within=5, what="its start")
        tests.kill()
    until(lambda: not words_of(pid), within=5, what="its end")


def words_of(pid: int) -> bytes:
    """Its command line; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_the_data_of_a_test_process_are_gone_with_it() -> None:
    tell = "import os, tests.settings; print(os.environ['WEDSYNC_DATA'])"
    argv = [sys.executable, "-c", tell]
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert "wedsync-test-" in done.stdout
    assert not Path(done.stdout.strip()).exists()
