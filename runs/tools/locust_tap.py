"""Runs inside Locust, beside the user's script: waits for "go", then hands its samples to WedSync.

Needs nothing but Locust. It never blocks Locust's event loop: the pipe is non-blocking, and what a
full pipe does not take is kept for a while, then dropped and counted.

Lines (JSON): {"hello": 1}, then about every 200 ms {"users": 3, "at": 1795443510, "dropped": 0,
"cells": [[second, method, name, [ms, ...], errors, unanswered], ...]}
"""

import ipaddress
import json
import math
import os
import time

import gevent
import gevent.socket
from gevent import select
from locust import events
from requests.adapters import HTTPAdapter

SAMPLES = int(os.environ["WEDSYNC_SAMPLES_FD"])
GO = int(os.environ["WEDSYNC_GO_FD"])
DENIED = os.environ.get("WEDSYNC_DENIED", "").split()
HOSTS = json.loads(os.environ.get("WEDSYNC_HOSTS", "{}"))
TRUSTED = os.environ.get("REQUESTS_CA_BUNDLE", "")
FLUSH_S = 0.2
FAREWELL_S = 1.0
MOST_PENDING = 4 << 20
MOST_IN_LINE = 5000


class Pipe:
    """Writes what fits and keeps the rest."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.pending = bytearray()

    def send(self, word: dict) -> bool:
        """False where the reader is so far behind that nothing more is kept for it."""
        if len(self.pending) > MOST_PENDING:
            self.push()
            return False
        self.pending += json.dumps(word, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        self.push()
        return True

    def push(self) -> None:
        try:
            while self.pending:
                del self.pending[: os.write(self.descriptor, self.pending[:65536])]
        except BlockingIOError:
            return
        except OSError:
            os._exit(3)  # nobody reads any more

    def drain(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while self.pending and (left := ends - time.monotonic()) > 0:
            select.select([], [self.descriptor], [], left)
            self.push()


class Tap:
    def __init__(self) -> None:
        self.pipe = Pipe(SAMPLES)
        self.cells = {}
        self.held = 0
        self.dropped = 0
        self.runner = None

    def count(
        self, method: str, name: str, latency_ms: float, exception: object, response: object
    ) -> None:
        key = (int(time.time()), str(method or ""), str(name or ""))
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = [[], 0, 0]
        if exception is not None:
            cell[1] += 1
        if exception is not None and went_unanswered(exception, response):
            cell[2] += 1
        else:
            cell[0].append(milliseconds(latency_ms))
        self.held += 1
        if self.held >= MOST_IN_LINE:
            self.flush()

    def flush(self) -> None:
        cells, held = self.cells, self.held
        self.cells, self.held = {}, 0
        word = {
            "users": self.runner.user_count,
            "at": int(time.time()),
            "dropped": self.dropped,
            "cells": [[*key, *cell] for key, cell in cells.items()],
        }
        if not self.pipe.send(word):
            self.dropped += held

    def flush_for_ever(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            self.flush()


def milliseconds(value: object) -> float:
    """A script's own client may report anything as its response time."""
    sound = isinstance(value, (int, float)) and 0 <= value < math.inf
    return round(value, 3) if sound else 0.0


def went_unanswered(exception: object, response: object) -> bool:
    """Refused or cut off. A time-out is no such case: the guest did wait that long."""
    if getattr(response, "status_code", 0):
        return False
    timed_out = isinstance(exception, TimeoutError) or "timeout" in type(exception).__name__.lower()
    return isinstance(exception, OSError) and not timed_out


def wait_for_go() -> None:
    """Returns at the byte that says go; a closed pipe is a supervisor that died."""
    select.select([GO], [], [])
    if not os.read(GO, 1):
        os._exit(3)


def die_with_supervisor() -> None:
    while True:
        wait_for_go()


class Fence:
    """Refuses connections to denied networks, on the resolved address.

    It holds for every client that goes through Python's sockets, which Locust's own do. A script
    that means to get around it can: it shares this interpreter.
    """

    def __init__(self, denied: list[str]) -> None:
        self.denied = [ipaddress.ip_network(text) for text in denied]

    def check(self, address: object) -> None:
        if not isinstance(address, tuple):
            return
        try:
            ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        except ValueError:
            return  # a name: resolved before it is connected to, and checked then
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if any(ip in network for network in self.denied):
            raise ConnectionRefusedError(f"A load test may not reach {ip}.")

    def guard(self, kind: type) -> None:
        for name in ("connect", "connect_ex"):
            setattr(kind, name, self._checked(getattr(kind, name)))

    def _checked(self, connect):
        def checked(socket, address):
            self.check(address)
            return connect(socket, address)

        return checked


class Names:
    """Finds the mapped hosts ("shop.example", "shop.example:443") where the map says they are."""

    def __init__(self, hosts: dict) -> None:
        self.hosts = hosts
        self.resolver = gevent.get_hub().resolver
        self.ask = self.resolver.getaddrinfo
        self.resolver.getaddrinfo = self.getaddrinfo

    def getaddrinfo(self, host, port, *rest, **words):
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        name = name.lower().rstrip(".")
        where = self.hosts.get(f"{name}:{port}") or self.hosts.get(name)
        if where:
            host, number = split(where)
            port = number or port
        return self.ask(host, port, *rest, **words)


def split(where: str) -> tuple:
    """Address and port of "127.0.0.1:9000", "[::1]:9000", "127.0.0.1" or "::1"."""
    if where.startswith("[") or where.count(":") == 1:
        address, _, port = where.rpartition(":")
        return address.strip("[]"), int(port)
    return where, None


def trust(bundle: str) -> None:
    """Locust's sessions ignore the environment, so the run's own authority goes in here."""
    send = HTTPAdapter.send

    def trusting(adapter, request, stream=False, timeout=None, verify=True, **rest):
        verify = bundle if verify is True else verify
        return send(adapter, request, stream=stream, timeout=timeout, verify=verify, **rest)

    HTTPAdapter.send = trusting


tap = Tap()
if TRUSTED:
    trust(TRUSTED)
if HOSTS:
    Names(HOSTS)
if DENIED:
    Fence(DENIED).guard(gevent.socket.socket)


@events.init.add_listener
def begin(environment, runner, **_) -> None:
    """Called once the scripts are loaded and before any user exists."""
    tap.runner = runner
    tap.pipe.send({"hello": 1})
    tap.pipe.drain(FAREWELL_S)
    wait_for_go()
    gevent.spawn(die_with_supervisor)
    gevent.spawn(tap.flush_for_ever)


@events.request.add_listener
def saw(request_type, name, response_time, exception=None, response=None, **_) -> None:
    tap.count(request_type, name, response_time, exception, response)


@events.quitting.add_listener
def end(environment, **_) -> None:
    if tap.runner is not None:
        tap.flush()
        tap.pipe.drain(FAREWELL_S)
