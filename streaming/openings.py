"""Tells this process's idle sockets which topics open: a control message on the channel layer.

One channel per process, not one per socket: a socket on the layer costs a connection to Valkey and
dies with it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from streaming import services
from streaming.topics import OPENED_GROUP

log = logging.getLogger(__name__)

# The layer forgets a member after a day.
RENEW_S = 3600.0
BACKOFF_S = 1.0

OnOpened = Callable[[str], None]


class Openings:
    """Lives on one event loop. A listener may hear of a topic more than once."""

    def __init__(self, layer: Any = None) -> None:
        self._layer = layer
        self._listeners: set[OnOpened] = set()
        self._task: asyncio.Task[None] | None = None

    def listen(self, on_opened: OnOpened) -> None:
        self._listeners.add(on_opened)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._hear())

    def ignore(self, on_opened: OnOpened) -> None:
        self._listeners.discard(on_opened)

    async def aclose(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _hear(self) -> None:
        layer = self._layer or get_channel_layer()
        channel = await layer.new_channel()
        while True:
            try:
                await layer.group_add(OPENED_GROUP, channel)
                await self._catch_up()
                async with asyncio.timeout(RENEW_S):
                    while True:
                        self._tell((await layer.receive(channel))["topic"])
            except TimeoutError:
                continue
            except (RedisError, OSError, services.Unavailable) as problem:
                log.warning("idle sockets do not hear of new tests: %s", problem)
                await asyncio.sleep(BACKOFF_S)

    async def _catch_up(self) -> None:
        """What opened while nobody listened."""
        for topic in await sync_to_async(services.running_topics, thread_sensitive=False)():
            self._tell(topic)

    def _tell(self, topic: str) -> None:
        for on_opened in list(self._listeners):
            on_opened(topic)
