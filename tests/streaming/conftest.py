import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.testing import ApplicationCommunicator, WebsocketCommunicator

from calendar_guard.rules import Blocker, Verdict, Window
from streaming import routing, services, wire
from streaming.gate import Gate
from streaming.hub import Hub
from streaming.openings import Openings
from streaming.shared import Streams
from tests import ports
from tests.streaming.server import migrate, start, wait_for
from tests.valkey import Valkey
from tests.waiting import until

TUESDAY = datetime(2026, 6, 9, 10, tzinfo=UTC)
SATURDAY = datetime(2026, 6, 13, tzinfo=UTC)
MONDAY = Window(datetime(2026, 6, 15, 7, tzinfo=UTC), datetime(2026, 6, 19, 22, tzinfo=UTC))
SAFE = Verdict(True, "No active weddings detected", (), MONDAY)
SATURDAY_BLOCK = Blocker("protected_weekday", "Saturday", SATURDAY, SATURDAY + timedelta(days=1))
PROTECTED = Verdict(False, "Saturday wedding day protection", (SATURDAY_BLOCK,), MONDAY)
MONDAY_WORDS = {"start": "2026-06-15T07:00:00+00:00", "end": "2026-06-19T22:00:00+00:00"}


def update(seq: int, *, final: bool = True) -> wire.Update:
    return wire.Update(
        seq=seq,
        at="2026-06-09T10:00:00+00:00",
        final=final,
        requests=412,
        rps=412.0,
        errors=2,
        error_rate=0.004854,
        p50_ms=31.5,
        p95_ms=88.25,
        p99_ms=None,
        users=20,
        tags={"wedding_season": True, "wedding_peak_time": False, "estimated_wedding_load": 3},
    )


@dataclass
class Calendar:
    """A guard whose answer and time the test sets."""

    verdict: Verdict = SAFE
    now: datetime = TUESDAY
    problem: Exception | None = None
    asked: int = 0

    def check(self, now: datetime) -> Verdict:
        self.asked += 1
        if self.problem:
            raise self.problem
        return self.verdict

    def begin_saturday(self) -> None:
        self.verdict, self.now = PROTECTED, SATURDAY + timedelta(hours=10)


@dataclass
class Someone:
    permissions: tuple[str, ...] = ("streaming.read_stream",)
    is_authenticated: bool = True

    def has_perm(self, name: str) -> bool:
        return name in self.permissions


class Socket(WebsocketCommunicator):  # type: ignore[misc]
    """With patience for a busy machine."""

    async def receive_output(self, timeout: float = 10) -> Any:
        return await super().receive_output(max(timeout, 10))


@dataclass
class Client:
    """Opens sockets and event streams on the app, as whoever and from wherever the test says."""

    streams: Streams
    user: Someone = field(default_factory=Someone)
    auth: str | None = "embedded"
    headers: dict[bytes, bytes] = field(default_factory=lambda: {b"host": b"localhost:8080"})
    open: list[ApplicationCommunicator] = field(default_factory=list)

    def socket(self, path: str = "/") -> Socket:
        headers = list(self.headers.items())
        socket: Socket = self._keep(Socket(self._app(), path, headers))
        return socket

    async def greeted(self) -> Socket:
        socket = self.socket()
        assert await socket.connect() == (True, None)
        assert (await socket.receive_json_from())["type"] == "hello"
        return socket

    async def events(self, topic: str, query: str = "", method: str = "GET") -> "Events":
        scope = {
            "type": "http",
            "method": method,
            "path": f"/api/load-testing/stream/{topic}",
            "query_string": query.encode(),
            "headers": list(self.headers.items()),
        }
        communicator = self._keep(ApplicationCommunicator(self._app(), scope))
        await communicator.send_input({"type": "http.request"})
        return Events(communicator, await communicator.receive_output(timeout=10))

    def _app(self) -> Any:
        router = ProtocolTypeRouter(
            {
                "websocket": URLRouter(routing.websocket(lambda: self.streams)),
                "http": URLRouter(routing.http(lambda: self.streams)),
            }
        )

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await router({**scope, "user": self.user, "auth": self.auth}, receive, send)

        return app

    def _keep(self, communicator: Any) -> Any:
        self.open.append(communicator)
        return communicator


@dataclass
class Events:
    """One answer to a request for an event stream."""

    communicator: ApplicationCommunicator
    start: dict[str, Any]

    @property
    def status(self) -> int:
        return int(self.start["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.start["headers"]}

    async def body(self) -> bytes:
        message = await self.communicator.receive_output(timeout=10)
        return bytes(message["body"])

    async def problem(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/problem+json"
        words: dict[str, Any] = json.loads(await self.body())
        return words

    async def chunks(self, count: int) -> list[bytes]:
        """The next chunks after the greeting."""
        assert await self.body() == b"retry: 1000\n\n"
        return [await self.body() for _ in range(count)]


@dataclass(frozen=True)
class Publisher:
    """The services as a worker calls them, from a thread and again where they found no answer.

    They wait half a second each time, which a busy machine can miss.
    """

    topic: str

    async def open(self) -> None:
        await self._surely(partial(services.open_topic, topic=self.topic))

    async def publish(self, *seqs: int, final: bool = True) -> None:
        for seq in seqs:
            word = update(seq, final=final)
            await self._surely(partial(services.publish, topic=self.topic, update=word))

    async def close(self, outcome: str = "passed") -> None:
        verdict = {"outcome": outcome, "reason": "p95 held"}
        await self._surely(partial(services.close_topic, topic=self.topic, verdict=verdict))

    async def _surely(self, act: Callable[[], None]) -> None:
        def is_done() -> bool:
            with contextlib.suppress(services.Unavailable):
                act()
                return True
            return False

        await asyncio.to_thread(until, is_done, within=10, what="an answer of Valkey")


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
async def streams(valkey: Valkey, calendar: Calendar) -> AsyncIterator[Streams]:
    async for shared in make_streams(valkey.url, calendar):
        yield shared


@pytest.fixture
async def client(streams: Streams) -> AsyncIterator[Client]:
    client = Client(streams)
    yield client
    for communicator in client.open:
        communicator.stop(exceptions=False)


@pytest.fixture
async def publisher(valkey: Valkey) -> AsyncIterator[Publisher]:
    publisher = Publisher(secrets.token_hex(4))
    await publisher.open()
    yield publisher
    await publisher.close()


async def make_streams(url: str, calendar: Calendar) -> AsyncIterator[Streams]:
    gate = Gate(calendar.check, now=lambda: calendar.now, every=0.02, patience=20.0)
    shared = Streams(Hub(url), gate, Openings(), grace=30.0)
    yield shared
    await shared.openings.aclose()
    await shared.gate.aclose()
    await shared.hub.aclose()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty calendar."""
    data = tmp_path_factory.mktemp("serve")
    migrate(data)
    return data


@pytest.fixture(scope="session")
def server(valkey: Valkey, data: Path) -> Iterator[str]:
    port = ports.keep()
    process = start(port, valkey, data)
    wait_for(port, process)
    yield f"localhost:{port}"
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors
    assert "ERROR" not in errors
