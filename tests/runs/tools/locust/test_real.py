"""What the real Locust reads from its environment, and our tap in its own Python."""

import subprocess
from pathlib import Path

import pytest

from runs.tools import get_tool, locust
from tests.runs.tools.locust.shell import python

pytestmark = pytest.mark.tool

HARNESS = """
import importlib.util, json, os, sys
reading, writing = os.pipe()
os.set_blocking(reading, False)
os.environ.update(WEDSYNC_SAMPLES_FD=str(writing), WEDSYNC_GO_FD=str(reading))
spec = importlib.util.spec_from_file_location("tap", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.MOST_PENDING = 100_000
tap = module.tap
class tap_runner:
    user_count = 1
tap.runner = tap_runner
for _ in range(100_000):
    tap.count("GET", "home", 12.345, None, None)
received = b""
while tap.pipe.pending:
    received += os.read(reading, 65536)
    tap.pipe.push()
tap.flush()
received += os.read(reading, 1 << 20)
print(received.decode())
"""
OPTIONS = """
from locust.argument_parser import get_parser
print(*sorted({name for one in get_parser()._actions if (name := getattr(one, "env_var", None))}))
"""


def test_no_variable_of_a_run_is_an_option_of_locust() -> None:
    said = subprocess.run([python(), "-c", OPTIONS], capture_output=True, text=True, check=True)
    assert said.stdout.split() == list(get_tool("locust").reserved)


def test_a_reader_that_is_far_behind_never_blocks_locust_and_knows_what_it_missed() -> None:
    tap = Path(locust.__file__).with_name("tap.py")
    said = subprocess.run(
        [python(), "-c", HARNESS, str(tap)], capture_output=True, check=True, timeout=30
    )
    reader = get_tool("locust").reader()
    reader.feed(b'{"hello":1}\n')
    batch = reader.feed(said.stdout)
    received = sum(cell.count for cell in batch.cells.values())
    assert received + reader.dropped == 100_000
    assert 0 < received < 100_000
    assert reader.garbage == 0
