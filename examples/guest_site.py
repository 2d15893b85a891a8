"""A wedding couple's guest site in plain ASGI, made to be load-tested: all of it in memory.

Its slowness can be turned up while it runs: PUT /slowness {"delay_ms": 900, "error_rate": 0.05}.
"""

import asyncio
import json
import math
import os
import random
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PHOTO_LIMIT = 2 * 1024 * 1024
JSON_LIMIT = 16 * 1024
MESSAGES_KEPT = 200
GUESTS_KEPT = 5000
DELAY_LIMIT_MS = 60_000

TIMELINE = [
    {"at": "13:00", "what": "Guests arrive at the orangery"},
    {"at": "14:00", "what": "The ceremony"},
    {"at": "15:00", "what": "Photographs in the garden"},
    {"at": "17:30", "what": "Dinner and speeches"},
    {"at": "20:00", "what": "First dance"},
]

HOME = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Ada &amp; Noor, 13 June</title>
<h1>Ada &amp; Noor</h1><p>We are getting married. Tell us whether you come, see the
<a href="/timeline">timeline</a> and leave us a <a href="/messages">message</a>.</p></html>
"""


@dataclass(frozen=True)
class Slowness:
    delay_ms: float = 0.0
    error_rate: float = 0.0


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"


class Refused(Exception):
    """A request that this site turns down: status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class GuestSite:
    def __init__(self, *, slowness: Slowness, chance: random.Random) -> None:
        self.slowness = slowness
        self.chance = chance
        self.photos = 0
        self.replies: dict[str, bool] = {}
        self.messages: deque[dict[str, str]] = deque(maxlen=MESSAGES_KEPT)
        self.routes: dict[tuple[str, str], Callable[[bytes], Answer]] = {
            ("GET", "/"): lambda _: Answer(200, HOME.encode(), "text/html; charset=utf-8"),
            ("GET", "/timeline"): lambda _: _json(200, {"timeline": TIMELINE}),
            ("POST", "/rsvp"): self.reply,
            ("POST", "/photos"): self.keep_photo,
            ("GET", "/messages"): lambda _: _json(200, {"messages": list(self.messages)[-20:]}),
            ("POST", "/messages"): self.keep_message,
            ("GET", "/slowness"): lambda _: _json(200, asdict(self.slowness)),
            ("PUT", "/slowness"): self.turn,
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await _answer(await self.handle(scope, receive), send)

    async def handle(self, scope: Message, receive: Receive) -> Answer:
        try:
            route = self.route(scope["method"], scope["path"])
            limit = PHOTO_LIMIT if scope["path"] == "/photos" else JSON_LIMIT
            body = await _read(receive, limit)
            if scope["path"] != "/slowness":
                await self.be_slow()
            return route(body)
        except Refused as refused:
            return _json(refused.status, {"error": str(refused)})

    def route(self, method: str, path: str) -> Callable[[bytes], Answer]:
        if found := self.routes.get((method, path)):
            return found
        if any(path == known for _, known in self.routes):
            raise Refused(405, f"{path} does not take {method}.")
        raise Refused(404, f"There is no page at {path}.")

    async def be_slow(self) -> None:
        """Waits the delay and up to a third more, as a busy site does; fails at the error rate."""
        if self.slowness.delay_ms:
            await asyncio.sleep(self.slowness.delay_ms / 1000 * (1 + self.chance.random() / 3))
        if self.chance.random() < self.slowness.error_rate:
            raise Refused(503, "The site is too busy, please try again.")

    def reply(self, body: bytes) -> Answer:
        reply = _parse(body)
        guest = _text(reply, "guest")
        if guest in self.replies or len(self.replies) < GUESTS_KEPT:
            self.replies[guest] = reply.get("coming") is True
        return _json(201, {"guest": guest, "coming": reply.get("coming") is True})

    def keep_photo(self, body: bytes) -> Answer:
        if not body:
            raise Refused(400, "The photo is empty.")
        self.photos += 1
        return _json(201, {"photos": self.photos, "bytes": len(body)})

    def keep_message(self, body: bytes) -> Answer:
        message = _parse(body)
        self.messages.append({"guest": _text(message, "guest"), "text": _text(message, "text")})
        return _json(201, {"messages": len(self.messages)})

    def turn(self, body: bytes) -> Answer:
        wished = _parse(body)
        self.slowness = Slowness(
            delay_ms=_number(wished, "delay_ms", self.slowness.delay_ms, DELAY_LIMIT_MS),
            error_rate=_number(wished, "error_rate", self.slowness.error_rate, 1),
        )
        return _json(200, asdict(self.slowness))


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            raise Refused(413, f"At most {limit} bytes, please.")
        if not message.get("more_body"):
            return bytes(body)


async def _answer(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _json(status: int, data: object) -> Answer:
    return Answer(status, json.dumps(data).encode())


def _parse(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError as error:
        raise Refused(400, "The body is not JSON.") from error
    if not isinstance(data, dict):
        raise Refused(400, "The body must be a JSON object.")
    return data


def _text(data: dict[str, Any], field: str) -> str:
    value = data.get(field)
    if not isinstance(value, str) or not value.strip():
        raise Refused(400, f"'{field}' must be a text that is not empty.")
    return value.strip()[:200]


def _number(data: dict[str, Any], field: str, default: float, most: float) -> float:
    value = data.get(field, default)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value <= most:
        raise Refused(400, f"'{field}' must be a number from 0 to {most}.")
    return float(value)


app = GuestSite(
    slowness=Slowness(delay_ms=float(os.environ.get("GUEST_SITE_DELAY_MS") or 0)),
    chance=random.Random(),
)
