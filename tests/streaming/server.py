"""The real server in a process of its own, on a Tuesday, whatever day it is here."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import clock
from clock.iso import parse_instant
from tests.mortal import MORTAL
from tests.valkey import Valkey

ROOT = Path(__file__).parents[2]
TUESDAY_BY_OUR_CLOCK = "2026-06-09T10:00:00+00:00"


def start(port: int, valkey: Valkey, data: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "wedsync_loadtest.settings",
        "WEDSYNC_DATA": str(data),
        "WEDSYNC_VALKEY_URL": valkey.url,
        "WEDSYNC_CLOCK_OFFSET": str(_seconds_to_tuesday()),
    }
    return subprocess.Popen(
        [*MORTAL, sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def _seconds_to_tuesday() -> float:
    return (parse_instant(TUESDAY_BY_OUR_CLOCK) - clock.real_now()).total_seconds()


def wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    for _ in range(600):
        assert process.poll() is None, process.stderr and process.stderr.read()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def migrate(data: Path) -> None:
    environment = os.environ | {"WEDSYNC_DATA": str(data)}
    environment["DJANGO_SETTINGS_MODULE"] = "wedsync_loadtest.settings"
    argv = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(argv, cwd=ROOT, env=environment, check=True, timeout=60)
