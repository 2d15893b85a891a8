"""A site in plain ASGI for scripts of k6 and of Artillery's engines: HTTP, WebSocket, Socket.IO.

HTTP answers with what it was sent; /table/7 and beyond is not there. A WebSocket echoes. Socket.IO
(https://socket.io/docs/v4/socket-io-protocol/) speaks over WebSocket only.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HANDSHAKE = {"sid": "s", "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000}
_EVENT = re.compile(r"42((?:/\w+,)?)(\d*)(\[.*)", re.DOTALL)
_CONNECT = re.compile(r"40((?:/\w+,)?)")
_NOT_THERE = re.compile(r"/table/(?!1\b)")


async def app(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await answer(scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        is_socket_io = scope["path"].startswith("/socket.io/")
        await (dance(receive, send) if is_socket_io else echo(receive, send))


async def answer(scope: Message, receive: Receive, send: Send) -> None:
    sent = b""
    while (part := await receive()).get("more_body"):
        sent += part["body"]
    sent += part.get("body", b"")
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    known = {name: headers.get(name, "") for name in ("cookie", "x-season")}
    looked_into: dict[str, Any] = {"json": {}, "form": {}, "cookies": {}}  # by k6's examples
    said = {"path": scope["path"], "sent": sent.decode("latin-1"), **known, **looked_into}
    body = json.dumps(said).encode()
    told = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if scope["path"] == "/login":
        told.append((b"set-cookie", b"table=one"))
    status = 404 if _NOT_THERE.match(scope["path"]) else 200
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


async def echo(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text") or "bytes"})


async def dance(receive: Receive, send: Send) -> None:
    await send({"type": "websocket.send", "text": f"0{json.dumps(HANDSHAKE)}"})
    while (message := await receive())["type"] == "websocket.receive":
        if reply := turn(message["text"]):
            await send({"type": "websocket.send", "text": reply})


def turn(packet: str) -> str:
    """A namespace is welcomed, a wish comes back as “granted”, whatever asks so is acknowledged."""
    if found := _CONNECT.match(packet):
        return f'40{found[1]}{{"sid":"s"}}'
    if not (found := _EVENT.match(packet)):
        return ""
    name, *words = json.loads(found[3])
    if found[2]:
        return f"43{found[1]}{found[2]}{json.dumps([{'heard': name}])}"
    return f"42{found[1]}{json.dumps(['granted', *words])}" if name == "wish" else ""
