import dataclasses
from typing import Any

import pytest

from tests.streaming.conftest import MONDAY_WORDS, Calendar, Client, Publisher, Someone


def ids(chunks: list[bytes]) -> list[int]:
    return [int(chunk.partition(b"\n")[0].removeprefix(b"id: ")) for chunk in chunks]


async def test_a_stream_says_how_it_wants_to_be_treated(
    client: Client, publisher: Publisher
) -> None:
    events = await client.events(publisher.topic)
    assert events.status == 200
    assert events.headers == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
    }


async def test_updates_come_under_their_number_and_the_stream_ends_with_the_run(
    client: Client, publisher: Publisher
) -> None:
    await publisher.publish(1, 2)
    events = await client.events(publisher.topic)
    assert ids(await events.chunks(2)) == [1, 2]
    await publisher.close()
    verdict = b'{"outcome":"passed","reason":"p95 held"}'
    assert await events.body() == b"id: 3\nevent: run_ended\ndata: " + verdict + b"\n\n"
    last = await events.communicator.receive_output()
    assert last == {"type": "http.response.body", "body": b""}


async def test_a_browser_resumes_after_the_last_event_it_saw(
    client: Client, publisher: Publisher
) -> None:
    await publisher.publish(1, 2, 3, 4)
    client.headers[b"last-event-id"] = b"2"
    events = await client.events(publisher.topic, query="since=0")
    assert ids(await events.chunks(2)) == [3, 4]


async def test_a_program_may_say_since_in_the_address(client: Client, publisher: Publisher) -> None:
    await publisher.publish(1, 2, 3)
    events = await client.events(publisher.topic, query="since=2")
    assert ids(await events.chunks(1)) == [3]


async def test_a_browser_that_heard_the_end_is_told_not_to_come_back(
    client: Client, publisher: Publisher
) -> None:
    await publisher.publish(1)
    await publisher.close()
    client.headers[b"last-event-id"] = b"2"
    assert (await client.events(publisher.topic)).status == 204


async def test_a_quiet_stream_stays_alive_by_comments(client: Client, publisher: Publisher) -> None:
    client.streams = dataclasses.replace(client.streams, heartbeat=0.05)
    events = await client.events(publisher.topic)
    assert await events.chunks(2) == [b": still here\n\n"] * 2


async def test_a_disconnect_is_noticed(client: Client, publisher: Publisher) -> None:
    events = await client.events(publisher.topic)
    assert client.streams.hub.followed == (publisher.topic,)
    await events.communicator.send_input({"type": "http.disconnect"})
    await events.communicator.wait(timeout=3)
    assert not client.streams.hub.followed


async def test_on_a_saturday_a_stream_does_not_begin(
    client: Client, publisher: Publisher, calendar: Calendar
) -> None:
    calendar.begin_saturday()
    events = await client.events(publisher.topic)
    assert events.status == 409
    problem = await events.problem()
    assert problem["code"] == "refused"
    assert problem["detail"] == problem["reason"] == "Saturday wedding day protection"
    assert problem["next_safe_window"] == MONDAY_WORDS
    assert [blocker["rule"] for blocker in problem["blockers"]] == ["protected_weekday"]


async def test_when_saturday_begins_the_stream_says_so_after_the_end_of_the_run(
    client: Client, publisher: Publisher, calendar: Calendar
) -> None:
    await publisher.publish(1)
    events = await client.events(publisher.topic)
    await events.chunks(1)
    calendar.begin_saturday()
    assert await events.communicator.receive_nothing(timeout=0.1)
    await publisher.close("aborted")
    assert b"event: run_ended\n" in await events.body()
    assert (await events.body()).startswith(b'event: refused\ndata: {"reason":"Saturday')
    assert await events.communicator.receive_output() == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"user": Someone(is_authenticated=False)}, 401, "not_authenticated"),
        ({"user": Someone(permissions=())}, 403, "permission_denied"),
        ({"headers": {b"origin": b"https://evil.example"}}, 403, "foreign_origin"),
        ({"headers": {b"host": b"evil.example"}}, 403, "foreign_origin"),
        ({"headers": {b"last-event-id": b"abc"}}, 400, "bad_since"),
        ({"headers": {b"last-event-id": b"-1"}}, 400, "bad_since"),
        ({"topic": "no-such-test"}, 404, "unknown_test"),
        ({"method": "POST"}, 405, "method_not_allowed"),
    ],
)
async def test_what_cannot_begin_is_a_problem_document(
    client: Client, publisher: Publisher, change: dict[str, Any], status: int, code: str
) -> None:
    client.user = change.get("user", client.user)
    client.headers |= change.get("headers", {})
    topic = change.get("topic", publisher.topic)
    events = await client.events(topic, method=change.get("method", "GET"))
    assert events.status == status
    problem = await events.problem()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"]


async def test_a_page_of_ours_needs_no_origin(client: Client, publisher: Publisher) -> None:
    client.auth = "session"
    assert (await client.events(publisher.topic)).status == 200
