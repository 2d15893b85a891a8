"""GET /api/load-testing/stream/ID as Server-Sent Events, in plain ASGI: no view, no ORM, no thread.

What may not begin is a problem document (RFC 9457); what ends later says so in an event.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec
from channels.db import database_sync_to_async

from streaming import asks, origin, wire
from streaming.hub import HubUnavailable, UnknownTopic
from streaming.outbox import Outbox
from streaming.readers import Reader
from streaming.shared import FindStreams, Streams, streams_here

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Problem(Exception):
    def __init__(self, status: HTTPStatus, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.headers: list[tuple[bytes, bytes]] = more.pop("headers", [])
        self.words = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
        } | more


class EventStream:
    def __init__(self, find_streams: FindStreams = streams_here) -> None:
        self._find_streams = find_streams

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        streams = self._find_streams()
        outbox: Outbox[bytes] = Outbox(
            streams.hub,
            render=lambda frame: frame.chunk,
            farewell=wire.refused_event,
            grace=streams.grace,
        )
        try:
            since = await _admit(scope)
            reader = await _join(streams, outbox, scope["url_route"]["kwargs"]["topic"], since)
            if reader.topic.end and since >= reader.topic.end.seq:
                await _respond(send, HTTPStatus.NO_CONTENT, [])  # a browser then stops asking
                return
            await _stream(streams, outbox, receive, send)
        except Problem as problem:
            headers = [(b"content-type", b"application/problem+json"), *problem.headers]
            await _respond(send, problem.status, headers, msgspec.json.encode(problem.words))
        finally:
            streams.gate.unwatch(outbox.shut)
            outbox.dispose()


async def _admit(scope: Any) -> int:
    """Where the client wants to resume; raises Problem where it may not read streams at all."""
    if scope["method"] != "GET":
        detail = f"A stream is read with GET, not with {scope['method']}."
        allow = [(b"allow", b"GET")]
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail, headers=allow)
    # A foreign page's EventSource always names its Origin; without one, nobody's page reads this.
    if objection := origin.objection(scope["headers"], originless=True):
        raise Problem(HTTPStatus.FORBIDDEN, "foreign_origin", objection)
    user = scope["user"]
    if not user.is_authenticated:
        detail = scope.get("auth_problem") or "Send 'Authorization: Bearer TOKEN' or log in."
        ask = [(b"www-authenticate", b"Bearer")]
        raise Problem(HTTPStatus.UNAUTHORIZED, "not_authenticated", detail, headers=ask)
    if not await database_sync_to_async(user.has_perm)("streaming.read_stream"):
        detail = "Reading streams needs the permission streaming.read_stream; ask for a role."
        raise Problem(HTTPStatus.FORBIDDEN, "permission_denied", detail)
    return _since(scope)


def _since(scope: Any) -> int:
    """The header of a returning browser goes before the address, which it repeats unchanged."""
    last = next((v for name, v in scope["headers"] if name == b"last-event-id"), b"")
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("since", ["0"])[0]
    try:
        return asks.sequence_number(last.decode("latin-1") or asked)
    except ValueError:
        detail = "since and Last-Event-ID are the id of the last event you saw, a whole number."
        raise Problem(HTTPStatus.BAD_REQUEST, "bad_since", detail) from None


async def _join(streams: Streams, outbox: Outbox[bytes], topic: str, since: int) -> Reader:
    if (view := await streams.gate.look()).is_shut:
        why = {name: view.verdict[name] for name in ("reason", "blockers", "next_safe_window")}
        raise Problem(HTTPStatus.CONFLICT, "refused", why["reason"], run=topic, **why)
    try:
        return await outbox.follow(topic, since=since)
    except UnknownTopic as unknown:
        raise Problem(HTTPStatus.NOT_FOUND, "unknown_test", unknown.detail) from None
    except HubUnavailable as trouble:
        later, status = [(b"retry-after", b"2")], HTTPStatus.SERVICE_UNAVAILABLE
        raise Problem(status, "unavailable", trouble.detail, headers=later) from None


async def _stream(streams: Streams, outbox: Outbox[bytes], receive: Any, send: Any) -> None:
    streams.gate.watch(outbox.shut)
    gone = asyncio.ensure_future(_disconnected(receive))
    gone.add_done_callback(lambda _: outbox.wake.set())
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    try:
        await _write(send, wire.RETRY)
        while not gone.done():
            outbox.wake.clear()
            while not gone.done() and (chunk := outbox.take()) is not None:
                await _write(send, chunk)
            if gone.done() or not outbox.following:
                break
            try:
                async with asyncio.timeout(streams.heartbeat):
                    await outbox.wake.wait()
            except TimeoutError:
                await _write(send, wire.HEARTBEAT)
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Any, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _respond(
    send: Any, status: HTTPStatus, headers: list[tuple[bytes, bytes]], body: bytes = b""
) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))] if body else headers
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
