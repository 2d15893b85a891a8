import asyncio
import dataclasses
import json

import pytest

from tests.streaming.conftest import (
    MONDAY_WORDS,
    SAFE,
    Calendar,
    Client,
    Publisher,
    Socket,
    Someone,
)


def subscription(topic: str, since: int = 0) -> dict[str, object]:
    return {"subscribe": "loadtest_metrics", "testId": topic, "since": since}


async def seqs(socket: Socket, count: int) -> list[int]:
    return [(await socket.receive_json_from())["data"]["seq"] for _ in range(count)]


async def test_a_new_socket_is_greeted_with_the_verdict_and_what_runs(
    client: Client, publisher: Publisher
) -> None:
    socket = client.socket()
    await socket.connect()
    hello = await socket.receive_json_from()
    assert list(hello) == ["type", "verdict", "running"]
    assert hello["verdict"] == SAFE.as_json()
    assert publisher.topic in hello["running"]


async def test_a_subscriber_sees_updates_and_then_the_verdict(
    client: Client, publisher: Publisher
) -> None:
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    await publisher.publish(1, final=False)
    message = await socket.receive_json_from()
    assert (message["type"], message["testId"]) == ("metrics_update", publisher.topic)
    await publisher.publish(2)
    assert await seqs(socket, 1) == [2]
    await publisher.close()
    ended = await socket.receive_json_from()
    assert ended == {
        "type": "run_ended",
        "testId": publisher.topic,
        "verdict": {"outcome": "passed", "reason": "p95 held"},
    }


async def test_a_late_joiner_gets_the_seconds_so_far_and_the_open_one(
    client: Client, publisher: Publisher
) -> None:
    await publisher.publish(1, 3, 6)
    await publisher.publish(7, 8, final=False)
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    assert await seqs(socket, 4) == [1, 3, 6, 8]


async def test_who_returns_gets_only_what_was_missed(client: Client, publisher: Publisher) -> None:
    await publisher.publish(1, 2, 3, 4)
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic, since=2))
    assert await seqs(socket, 2) == [3, 4]


async def test_who_joins_after_the_end_still_hears_it(client: Client, publisher: Publisher) -> None:
    await publisher.publish(1, 2)
    await publisher.close()
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic, since=2))
    assert (await socket.receive_json_from())["type"] == "run_ended"


async def test_subscribing_again_replays_from_there(client: Client, publisher: Publisher) -> None:
    await publisher.publish(1, 2, 3)
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    assert await seqs(socket, 3) == [1, 2, 3]
    await socket.send_json_to(subscription(publisher.topic, since=1))
    assert await seqs(socket, 2) == [2, 3]


async def test_who_unsubscribes_hears_no_more(client: Client, publisher: Publisher) -> None:
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    await publisher.publish(1)
    assert await seqs(socket, 1) == [1]
    await socket.send_json_to({"unsubscribe": "loadtest_metrics", "testId": publisher.topic})
    await socket.send_json_to({"ask": "hello"})
    assert (await socket.receive_json_from())["type"] == "hello"
    await publisher.publish(2)
    await socket.send_json_to({"ask": "hello"})
    assert (await socket.receive_json_from())["type"] == "hello"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "not_json"),
        ("x" * 100_000, "too_large"),
        (json.dumps(subscription("no-such-test")), "unknown_test"),
        ('{"unsubscribe":"loadtest_metrics","testId":"12"}', "not_subscribed"),
    ],
)
async def test_garbage_is_answered_in_words_and_the_socket_stays_open(
    client: Client, publisher: Publisher, text: str, code: str
) -> None:
    socket = await client.greeted()
    await socket.send_to(text_data=text)
    error = await socket.receive_json_from()
    assert (error["type"], error["code"]) == ("error", code)
    await socket.send_json_to(subscription(publisher.topic))
    await publisher.publish(1)
    assert await seqs(socket, 1) == [1]


async def test_a_binary_frame_is_answered_in_words(client: Client) -> None:
    socket = await client.greeted()
    await socket.send_to(bytes_data=b"\x00\xff")
    assert (await socket.receive_json_from())["code"] == "binary"


async def test_nobody_may_talk_garbage_forever(client: Client) -> None:
    socket = await client.greeted()
    for _ in range(20):
        await socket.send_to(text_data="garbage")
        assert (await socket.receive_json_from())["code"] == "not_json"
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4400}


async def test_who_may_not_read_is_told_so_and_let_go(client: Client) -> None:
    client.user = Someone(permissions=())
    socket = client.socket()
    await socket.connect()
    assert (await socket.receive_json_from())["code"] == "forbidden"
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4403}


async def test_a_subscription_on_a_saturday_is_refused_with_the_next_safe_window(
    client: Client, publisher: Publisher, calendar: Calendar
) -> None:
    calendar.begin_saturday()
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    assert await socket.receive_json_from() == {
        "type": "refused",
        "reason": "Saturday wedding day protection",
        "next_safe_window": MONDAY_WORDS,
        "testId": publisher.topic,
    }
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4409}


async def test_when_saturday_begins_the_end_of_the_run_is_told_before_the_stream_closes(
    client: Client, publisher: Publisher, calendar: Calendar
) -> None:
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    await publisher.publish(1)
    assert await seqs(socket, 1) == [1]
    calendar.begin_saturday()
    assert await socket.receive_nothing(timeout=0.1)
    await publisher.close("aborted")
    assert (await socket.receive_json_from())["type"] == "run_ended"
    assert await socket.receive_json_from() == {
        "type": "refused",
        "reason": "Saturday wedding day protection",
        "next_safe_window": MONDAY_WORDS,
    }
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4409}


async def test_a_run_that_does_not_end_keeps_a_stream_open_only_for_the_grace(
    client: Client, publisher: Publisher, calendar: Calendar
) -> None:
    client.streams = dataclasses.replace(client.streams, grace=0.1)
    socket = await client.greeted()
    await socket.send_json_to(subscription(publisher.topic))
    await publisher.publish(1)
    assert await seqs(socket, 1) == [1]
    calendar.begin_saturday()
    assert (await socket.receive_json_from(timeout=3))["type"] == "refused"
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4409}


async def test_a_silent_socket_follows_what_runs_and_what_starts_later(
    client: Client, publisher: Publisher
) -> None:
    client.streams = dataclasses.replace(client.streams, follow_after=0.05)
    await publisher.publish(1)
    socket = await client.greeted()
    while (message := await socket.receive_json_from())["testId"] != publisher.topic:
        pass
    assert message["data"]["seq"] == 1
    later = Publisher(f"{publisher.topic}-later")
    await later.open()
    await later.publish(1)
    while (message := await socket.receive_json_from(timeout=3))["testId"] != later.topic:
        pass
    assert message["data"]["seq"] == 1


async def test_a_socket_that_spoke_follows_only_what_it_asked_for(
    client: Client, publisher: Publisher
) -> None:
    client.streams = dataclasses.replace(client.streams, follow_after=1.0)
    await publisher.publish(1)
    socket = await client.greeted()
    await socket.send_json_to({"ask": "hello"})
    assert (await socket.receive_json_from())["type"] == "hello"
    assert await socket.receive_nothing(timeout=1.3)


async def test_a_silent_socket_on_a_saturday_learns_why_nothing_comes(
    client: Client, calendar: Calendar
) -> None:
    client.streams = dataclasses.replace(client.streams, follow_after=0.05)
    calendar.begin_saturday()
    socket = await client.greeted()
    assert (await socket.receive_json_from())["type"] == "refused"
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4409}


@pytest.mark.parametrize(
    ("headers", "auth", "comes_in"),
    [
        ({}, "embedded", True),
        ({}, "token", True),
        ({}, "session", False),
        ({b"origin": b"http://localhost:8080"}, "session", True),
        ({b"origin": b"http://LOCALHOST:8080"}, "session", True),
        ({b"origin": b"http://localhost:9999"}, "embedded", False),
        ({b"origin": b"https://evil.example"}, "embedded", False),
        ({b"origin": b"https://evil.example"}, "token", False),
        ({b"origin": b"null"}, "embedded", False),
        ({b"origin": b"http://["}, "embedded", False),
        ({b"origin": b"http://evil.example", b"host": b"evil.example"}, "embedded", False),
        ({b"origin": b"http://[::1]", b"host": b"[::1]"}, "embedded", True),
        ({b"host": b""}, "token", False),
    ],
)
async def test_only_our_own_pages_and_programs_open_sockets(
    client: Client, headers: dict[bytes, bytes], auth: str, comes_in: bool
) -> None:
    client.headers |= headers
    client.auth = auth
    connected, _ = await client.socket().connect()
    assert connected is comes_in


async def test_there_is_no_socket_elsewhere(client: Client) -> None:
    assert (await client.socket("/elsewhere").connect())[0] is False


async def test_many_sockets_cost_one_question_to_the_calendar(
    client: Client, calendar: Calendar
) -> None:
    client.streams.gate._every = 60.0
    await asyncio.gather(*(client.greeted() for _ in range(20)))
    assert calendar.asked == 1
