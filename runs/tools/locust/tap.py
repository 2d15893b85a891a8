"""Runs inside Locust, beside the user's script: waits for "go", then hands its samples to WedSync.

Needs nothing but Locust. It never blocks Locust's event loop: the pipe is non-blocking, and what a
full pipe does not take is kept for a while, then dropped and counted.

Lines (JSON): {"hello": 1}, then about every 200 ms {"users": 3, "at": 1795443510, "dropped": 0,
"by": 71, "cells": [[second, method, name, [ms, ...], errors, unanswered], ...]}

Of several processes (--processes) Locust's master says hello, waits for go and tells the users, and
its workers tell their requests: in lines so short that the kernel writes each in one piece.
"""

import atexit
import json
import os
import time

import gevent
from gevent import select
from locust import events
from locust.runners import MasterRunner, WorkerRunner

SAMPLES = int(os.environ["WEDSYNC_SAMPLES_FD"])
GO = int(os.environ["WEDSYNC_GO_FD"])
FLUSH_S = 0.2
FAREWELL_S, LAST_WORD_S = 0.8, 0.2
MOST_PENDING = 4 << 20
MOST_HELD = 5000
ONE_PIECE = 4096  # Linux' PIPE_BUF
LONGEST_TEXT, LONGEST_MS = 200, 1e12
MOST_IN_PART, MOST_PARTS = 100, 64  # a part fits into one piece, a line's parts into the reader's
CONTROLS = dict.fromkeys(range(32), " ")  # of those JSON makes six bytes each


class Pipe:
    """Writes what fits and keeps the rest."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.is_shared = False
        self.pending = bytearray()

    def send(self, word: dict) -> bool:
        """False where the reader is so far behind that nothing more is kept for it."""
        if len(self.pending) > MOST_PENDING:
            self.push()
            return False
        line = json.dumps(word, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        self.pending += line.encode(errors="replace") + b"\n"
        self.push()
        return True

    def push(self) -> None:
        try:
            while self.pending:
                del self.pending[: os.write(self.descriptor, self.block())]
        except BlockingIOError:
            return
        except OSError:
            os._exit(3)  # nobody reads any more

    def block(self) -> bytearray:
        """Whole lines where others write as well."""
        if self.is_shared:
            return self.pending[: self.pending.rfind(b"\n", 0, ONE_PIECE) + 1]
        return self.pending[:65536]

    def drain(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while self.pending and (left := ends - time.monotonic()) > 0:
            select.select([], [self.descriptor], [], left)
            self.push()

    def give_up(self) -> int:
        """Forgets all but the line that may be half written. How many requests were in it?"""
        kept = self.pending.find(b"\n") + 1
        lost = bytes(self.pending[kept:])
        del self.pending[kept:]
        return sum(requests_in(json.loads(line).get("cells", ())) for line in lost.splitlines())


class Tap:
    always_tells = True

    def __init__(self) -> None:
        self.pipe = Pipe(SAMPLES)
        self.cells = {}
        self.held = 0
        self.dropped = 0
        self.runner = None

    def count(
        self, method: str, name: str, latency_ms: float, exception: object, response: object
    ) -> None:
        key = (int(time.time()), text(method), text(name))
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = [[], 0, 0]
        if exception:  # as Locust judges it
            cell[1] += 1
        if exception and went_unanswered(exception, response):
            cell[2] += 1
        else:
            cell[0].append(milliseconds(latency_ms))
        self.held += 1
        if self.held >= MOST_HELD:
            self.flush()

    def flush(self) -> None:
        parts = [part for key, cell in self.cells.items() for part in parts_of(*key, *cell)]
        self.cells, self.held = {}, 0
        many = 1 if self.pipe.is_shared else MOST_PARTS
        for start in range(0, len(parts) or self.always_tells, many):
            self.tell(parts[start : start + many])

    def tell(self, parts: list) -> None:
        word = {**self.users(), "dropped": self.dropped, "by": os.getpid(), "cells": parts}
        if not self.pipe.send(word):
            self.dropped += requests_in(parts)

    def users(self) -> dict:
        return {"users": self.runner.user_count, "at": int(time.time())}

    def take_leave(self) -> None:
        """What nobody took by now is counted as dropped, and that number is the last word."""
        self.flush()
        self.pipe.drain(FAREWELL_S)
        self.dropped += self.pipe.give_up()
        self.tell([])
        self.pipe.drain(LAST_WORD_S)

    def flush_for_ever(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            self.flush()


class WorkerTap(Tap):
    """One of several. The master says hello, before which nothing may come, and tells the users."""

    always_tells = False

    def users(self) -> dict:
        return {}


def parts_of(second, method, name, latencies, errors, unanswered):
    """A cell in parts, each of which fits into a line of one piece."""
    for start in range(0, max(1, len(latencies)), MOST_IN_PART):
        part = latencies[start : start + MOST_IN_PART]
        failed = min(errors, len(part) + unanswered)
        yield [second, method, name, part, failed, unanswered]
        errors, unanswered = errors - failed, 0


def requests_in(parts: list) -> int:
    return sum(len(latencies) + unanswered for *_, latencies, _, unanswered in parts)


def text(value: object) -> str:
    return str(value or "")[:LONGEST_TEXT].translate(CONTROLS)


def milliseconds(value: object) -> float:
    """A script's own client may report anything as its response time."""
    sound = isinstance(value, (int, float)) and 0 <= value < LONGEST_MS
    return round(float(value), 3) if sound else 0.0


def went_unanswered(exception: object, response: object) -> bool:
    """Refused or cut off, whatever the script made of it. A time-out is no such case: the guest did
    wait that long."""
    if getattr(response, "status_code", 0):
        return False
    cause = getattr(response, "error", None) or exception
    timed_out = isinstance(cause, TimeoutError) or "timeout" in type(cause).__name__.lower()
    return isinstance(cause, OSError) and not timed_out


def wait_for_go() -> None:
    """Returns at the byte that says go; a closed pipe is a supervisor that died."""
    select.select([GO], [], [])
    if not os.read(GO, 1):
        os._exit(3)


def die_with_supervisor() -> None:
    while True:
        wait_for_go()


def die_with_master(parent: int) -> None:
    while os.getppid() == parent:
        gevent.sleep(FLUSH_S)
    os._exit(3)


def wait_for_workers(environment) -> None:
    if isinstance(environment.runner, MasterRunner):
        while len(environment.runner.clients.ready) < environment.parsed_options.expect_workers:
            gevent.sleep(0.02)


tap = Tap()


@events.init.add_listener
def begin(environment, runner, **_) -> None:
    """Called once the scripts are loaded and before any user exists."""
    global tap
    if isinstance(runner, WorkerRunner):
        tap = WorkerTap()
        gevent.spawn(die_with_master, os.getppid())
    tap.runner = runner
    tap.pipe.is_shared = isinstance(runner, MasterRunner | WorkerRunner)
    if not isinstance(runner, WorkerRunner):
        wait_for_workers(environment)
        tap.pipe.send({"hello": 1})
        tap.pipe.drain(FAREWELL_S)
        wait_for_go()
        gevent.spawn(die_with_supervisor)
    gevent.spawn(tap.flush_for_ever)


@events.request.add_listener
def saw(request_type, name, response_time, exception=None, response=None, **_) -> None:
    tap.count(request_type, name, response_time, exception, response)


@events.quitting.add_listener
def end(**_) -> None:
    if tap.runner is not None:
        tap.take_leave()


atexit.register(end)  # a stop's last requests come after that event, and sys.exit makes none
