"""The real server, real clients over loopback."""

import asyncio
import json
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from streaming import services
from tests import ports
from tests.streaming.conftest import Publisher, update
from tests.streaming.server import start, wait_for
from tests.valkey import Valkey

pytestmark = pytest.mark.live  # servers of their own; what they measure is measured alone


async def test_a_plain_client_that_says_nothing_sees_metrics(
    server: str, publisher: Publisher
) -> None:
    async with connect(f"ws://{server}") as socket:
        assert json.loads(await socket.recv())["type"] == "hello"
        await publisher.publish(1)
        async with asyncio.timeout(10):
            while (message := json.loads(await socket.recv()))["testId"] != publisher.topic:
                pass
        assert message["type"] == "metrics_update"


async def test_curl_sees_events_until_the_run_ends(server: str, publisher: Publisher) -> None:
    await publisher.publish(1, 2)
    url = f"http://{server}/api/load-testing/stream/{publisher.topic}"
    async with httpx.AsyncClient() as http, http.stream("GET", url) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        await publisher.close()
        body = "".join([text async for text in response.aiter_text()])
    assert [line for line in body.split("\n") if line.startswith("id:")] == [
        "id: 1",
        "id: 2",
        "id: 3",
    ]
    assert "event: run_ended" in body


async def test_a_foreign_page_gets_no_socket(server: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with connect(f"ws://{server}", origin=Origin("https://evil.example")):
            pass


async def test_a_name_rebound_to_loopback_gets_no_socket(server: str) -> None:
    port = int(server.rpartition(":")[2])
    with pytest.raises(InvalidStatus, match="403"):
        async with connect(f"ws://evil.example:{port}", host="127.0.0.1", port=port):
            pass


async def test_an_unknown_stream_is_a_problem_document(server: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://{server}/api/load-testing/stream/999999")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_client_that_stops_reading_holds_nobody_up_and_is_not_buffered_for(
    server: str, publisher: Publisher
) -> None:
    stalled, quick = await asyncio.gather(
        *(connect(f"ws://{server}", max_queue=1) for _ in range(2))
    )
    subscription = json.dumps({"subscribe": "loadtest_metrics", "testId": publisher.topic})
    for client in (stalled, quick):
        await client.recv()
        await client.send(subscription)
    await publisher.publish(1)
    await quick.recv()
    stalled.transport.pause_reading()
    last = 6000
    publishing = asyncio.ensure_future(asyncio.to_thread(publish_open_seconds, publisher, last))
    heard = 0
    async with asyncio.timeout(60):
        while heard < last:
            heard = json.loads(await quick.recv())["data"]["seq"]
    await publishing
    stalled.transport.resume_reading()
    seen: list[int] = []
    async with asyncio.timeout(20):
        while not seen or seen[-1] < last:
            seen.append(json.loads(await stalled.recv())["data"]["seq"])
    assert len(seen) < last / 2
    await asyncio.gather(stalled.close(), quick.close())


def publish_open_seconds(publisher: Publisher, last: int) -> None:
    for seq in range(2, last + 1):
        services.publish(topic=publisher.topic, update=update(seq, final=False))


async def test_from_publish_to_reader_takes_milliseconds(
    server: str, publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    delays: list[float] = []
    sent: dict[int, float] = {}

    def publish() -> None:
        for seq in range(1, 301):
            sent[seq] = time.monotonic()
            services.publish(topic=publisher.topic, update=update(seq, final=seq % 5 == 0))
            time.sleep(0.01)

    async with connect(f"ws://{server}") as client:
        await client.recv()
        await client.send(json.dumps({"subscribe": "loadtest_metrics", "testId": publisher.topic}))
        publishing = asyncio.ensure_future(asyncio.to_thread(publish))
        seq = 0
        while seq < 300:
            seq = json.loads(await client.recv())["data"]["seq"]
            delays.append((time.monotonic() - sent[seq]) * 1000)
        await publishing
    delays.sort()
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    with capsys.disabled():
        print(f"\npublish -> reader over loopback: p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    assert p50 < 100  # other tests run beside this one: the 99th percentile is theirs too


def test_a_port_that_is_taken_is_said_in_one_sentence(valkey: Valkey, data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(taken.getsockname()[1], valkey, data)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "choose another with --port." in errors
    assert "Traceback" not in errors


async def test_sigterm_ends_the_server_promptly_with_streams_open(
    valkey: Valkey, data: Path
) -> None:
    port = ports.keep()
    process = start(port, valkey, data)
    await asyncio.to_thread(wait_for, port, process)
    async with connect(f"ws://localhost:{port}") as client:
        await client.recv()
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.to_thread(process.communicate, timeout=20)
        assert time.monotonic() - begun < 3
    assert process.returncode == 0
    assert "Traceback" not in errors
