"""The whole embedded stack as a person starts it, in a home of its own."""

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx

from tests import ports
from tests.mortal import MORTAL
from tests.waiting import until

ROOT = Path(__file__).parents[2]
TUESDAY = "2026-06-09T10:00:00+02:00"
OVER = {"refused", "passed", "failed", "aborted", "errored", "lost"}
# A minute of the guest rush is for people to watch; a story needs seconds of the same requests.
SHORT_RUSH = """
import http from 'k6/http';
import { sleep } from 'k6';
export const options = { scenarios: { rush: {
  executor: 'constant-arrival-rate', rate: RATE, timeUnit: '1s', duration: 'SECONDSs',
  preAllocatedVUs: 20, gracefulStop: '2s' } } };
export default function () {
  http.get(`${__ENV.TARGET}/timeline`, { tags: { name: 'timeline' } });
  http.post(`${__ENV.TARGET}/rsvp`, JSON.stringify({ guest: `Guest ${__VU}`, coming: true }),
    { headers: { 'Content-Type': 'application/json' }, tags: { name: 'rsvp' } });
}
"""


def short_rush(seconds: int, rate: int = 10) -> str:
    return SHORT_RUSH.replace("SECONDS", str(seconds)).replace("RATE", str(rate))


@dataclass
class Stack:
    home: Path
    port: int
    process: subprocess.Popen[bytes]
    output: Path
    env: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def people(self) -> dict[str, str]:
        words: dict[str, str] = json.loads((self.data / "people.json").read_text())
        return words

    @cached_property
    def token(self) -> str:
        done = self.command("token")
        done.check_returncode()
        return done.stdout.strip()

    @cached_property
    def api(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.url}/api/load-testing/",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=20,
            trust_env=False,
        )

    def ask(self, target: str, **words: Any) -> httpx.Response:
        return self.api.post("runs", json=_request(target) | words)

    def add_plan(self, target: str, **words: Any) -> str:
        answer = self.api.post("plans", json=_request(target) | words)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def start(self, target: str, **words: Any) -> str:
        answer = self.ask(target, **words)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"runs/{run_id}").raise_for_status().json()
        return found

    def wait_for(
        self, run_id: str, *states: str, within: float = 40, every: float = 0.1
    ) -> dict[str, Any]:
        wanted = set(states) or OVER
        until(
            lambda: self.run(run_id)["state"] in wanted,
            within=within,
            what=f"{wanted} of run {run_id}",
            every=every,
        )
        return self.run(run_id)

    def rush(self, target: str, seconds: int = 50) -> str:
        """A test that is under way, to be stopped."""
        run_id = self.start(target, script=short_rush(seconds))
        self.wait_for(run_id, "running")
        return run_id

    def stop(self, run_id: str) -> None:
        self.api.post(f"runs/{run_id}/stop").raise_for_status()
        self.wait_for(run_id, within=10)

    def ask_calendar(self, question: str, **words: str) -> dict[str, Any]:
        answer = self.api.get(question, params=words)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def now(self) -> datetime:
        return datetime.fromisoformat(self.ask_calendar("windows", duration="PT1M")["from"])

    def points(self, run_id: str) -> list[dict[str, Any]]:
        """The closed seconds of a run."""
        answer = self.api.get(f"runs/{run_id}/metrics").raise_for_status()
        found: list[dict[str, Any]] = answer.json()["points"]
        return found

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`./wedsync WORDS` of this stack."""
        return subprocess.run(
            [ROOT / "wedsync", *words], env=self.env, capture_output=True, text=True, check=False
        )

    def processes(self) -> list[int]:
        """Living processes of this stack and of its tools, whatever session they are in."""
        mark = f"WEDSYNC_HOME={self.home}".encode()
        return [pid for pid, words in living() if mark in words]

    def pid_of(self, word: str) -> int:
        """Of the process of this stack that was started with such a word."""
        lines = ((pid, read(pid, "cmdline").decode(errors="replace")) for pid in self.processes())
        return next(pid for pid, line in lines if word in line)

    def tools(self) -> list[int]:
        """Those of `processes` that a run started: its tool and what watches it."""
        mark = f"WEDSYNC_HOME={self.home}".encode()
        return [pid for pid, words in living() if mark in words and b"WEDSYNC_RUN=" in words]

    def close(self) -> None:
        if "api" in self.__dict__:
            self.api.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def _request(target: str) -> dict[str, Any]:
    return {
        "name": "The guest rush",
        "tool": "k6",
        "script": short_rush(4),
        "target": target,
        "duration": "PT1M",
    }


def living() -> Iterator[tuple[int, bytes]]:
    """The processes of this machine, each with its environment."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return ((pid, words) for pid in pids if (words := read(pid, "environ")))


def read(pid: int, file: str) -> bytes:
    """What /proc says of a process; nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes()
    except OSError:
        return b""


@contextlib.contextmanager
def running_stack(home: Path, at: str = TUESDAY, **more: str) -> Iterator[Stack]:
    """`./wedsync up --at AT`, ready; ended when the block is left.

    Its data are those of a stack that was started before, so that it need not be set up again.
    """
    shutil.copytree(_set_up(), home / "data")
    with _started(home, at, **more) as stack:
        yield stack


@cache
def _set_up() -> Path:
    """The data folder of a stack that started from nothing and was stopped: the first of all."""
    home = Path(tempfile.mkdtemp(prefix="wedsync-first-stack-"))
    atexit.register(shutil.rmtree, home)
    with _started(home, TUESDAY):
        pass
    return home / "data"


@contextlib.contextmanager
def _started(home: Path, at: str, **more: str) -> Iterator[Stack]:
    env = os.environ | {"WEDSYNC_HOME": str(home), "WEDSYNC_LOG_LEVEL": "DEBUG"} | more
    for name in [name for name in env if name.startswith("WEDSYNC_") and name not in more]:
        if name.removeprefix("WEDSYNC_") not in {"HOME", "LOG_LEVEL", "K6", "LOCUST", "ARTILLERY"}:
            del env[name]
    env.pop("DJANGO_SETTINGS_MODULE", None)
    port, output = ports.keep(), home / "terminal.txt"
    with output.open("wb") as terminal:
        process = subprocess.Popen(
            [*MORTAL, ROOT / "wedsync", "up", "--port", str(port), "--at", at],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack = Stack(home, port, process, output, env)
    try:
        until(
            lambda: b"Ctrl-C stops it" in output.read_bytes() or process.poll() is not None,
            within=90,
            what="the stack's start",
        )
        assert process.poll() is None, output.read_text()
        yield stack
    finally:
        stack.close()
