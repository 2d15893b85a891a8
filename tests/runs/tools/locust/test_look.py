"""What Locust itself finds in a script before it may make a request."""

from pathlib import Path

import pytest

from tests.runs.tools.local import LocalRun, job_of, tool_here

pytestmark = pytest.mark.tool
BESIDE = """
from locust import HttpUser, task

class Guest(HttpUser):
    abstract = True
    host = "https://shop.example"

    @task
    def look(self):
        self.client.get("/")
"""
SCRIPT = """
from locust import LoadTestShape
from locustfile import Guest

class Buyer(Guest):
    pass

class Host(Guest):
    host = "https://hosts.example"

class Waves(LoadTestShape):
    abstract = True

class Tide(Waves):
    def tick(self):
        return (5000, 5000)
"""


def test_shapes_and_hosts_are_seen_in_heirs_and_in_files_beside(tmp_path: Path) -> None:
    tool = tool_here("locust")
    (tmp_path / "locustfile.py").write_text(BESIDE)
    job = job_of(tool, SCRIPT, tmp_path, users=5)
    prepared = tool.prepare(job, LocalRun(tool, job).shell)
    hosts, shape = prepared.warnings
    assert "2 hosts (https://hosts.example, https://shop.example)" in hosts
    assert "LoadTestShape (Tide) decides" in shape
    assert (prepared.is_bounded, prepared.peak_users) == (False, None)
