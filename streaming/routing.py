"""Where streams are found; composed in the project's asgi."""

from typing import Any

from django.urls import path, re_path

from streaming.consumers import StreamConsumer
from streaming.shared import FindStreams, streams_here
from streaming.sse import EventStream

STREAM_PATH = "api/load-testing/stream/<str:topic>"


def websocket(find_streams: FindStreams = streams_here) -> list[Any]:
    socket = StreamConsumer.as_asgi(find_streams=find_streams)
    return [path("", socket), re_path("", _close)]  # type: ignore[arg-type]


def http(find_streams: FindStreams = streams_here) -> list[Any]:
    return [path(STREAM_PATH, EventStream(find_streams))]  # type: ignore[arg-type]


async def _close(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})
