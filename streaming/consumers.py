"""The WebSocket: greets, takes subscriptions, relays updates, says what is wrong in words.

No socket sits on the channel layer (it would die with Valkey), so it has no channel of its own.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, assert_never

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from streaming import asks, origin, services, wire
from streaming.hub import HubUnavailable, UnknownTopic
from streaming.outbox import REFUSED, Outbox
from streaming.shared import FindStreams, streams_here

log = logging.getLogger(__name__)

BAD_ASKS, FORBIDDEN = 4400, 4403
PATIENCE_WITH_BAD_ASKS = 20
MOST_WAITING = 64


class StreamConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    channel_layer_alias = None

    def __init__(self, find_streams: FindStreams = streams_here) -> None:
        super().__init__()
        self._find_streams = find_streams
        self._bad_asks = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._silence: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._streams = self._find_streams()
        self._outbox: Outbox[str] = Outbox(
            self._streams.hub,
            render=lambda frame: frame.text,
            farewell=wire.refused,
            grace=self._streams.grace,
        )
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        scope = self.scope
        originless = scope.get("auth") in {"token", "embedded"}
        if origin.objection(scope["headers"], originless=originless):
            await self.close()
            return
        await self.accept()
        self._do(self._write())
        if not await database_sync_to_async(scope["user"].has_perm)("streaming.read_stream"):
            detail = "Reading streams needs a log-in or a token that may: streaming.read_stream."
            self._outbox.say(wire.error("forbidden", detail))
            self._outbox.close(FORBIDDEN)
            return
        await self._greet()
        if self._streams.follow_after is not None:
            follow = asyncio.get_running_loop().call_later
            self._silence = follow(self._streams.follow_after, lambda: self._do(self._follow_all()))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._end_silence()
        if self._outbox.closing is not None:
            return
        try:
            await self._answer(asks.parse(text_data))
        except asks.BadAsk as bad:
            self._complain(bad.code, bad.detail)
        if self._bad_asks >= PATIENCE_WITH_BAD_ASKS or self._outbox.waiting > MOST_WAITING:
            self._outbox.close(BAD_ASKS)

    async def _answer(self, ask: asks.Subscribe | asks.Unsubscribe | asks.Hello) -> None:
        match ask:
            case asks.Hello():
                await self._greet()
            case asks.Subscribe(test_id, since):
                await self._subscribe(test_id, since)
            case asks.Unsubscribe(test_id):
                if not self._outbox.unfollow(test_id):
                    self._complain("not_subscribed", "You do not follow this test.", test_id)
            case _:
                assert_never(ask)

    async def _subscribe(self, test_id: str, since: int) -> None:
        if (view := await self._streams.gate.look()).is_shut:
            self._outbox.say(wire.refused(view.verdict, test_id))
            if not self._outbox.following:
                self._outbox.close(REFUSED)
            return
        try:
            await self._outbox.follow(test_id, since=since)
        except UnknownTopic as unknown:
            self._complain("unknown_test", unknown.detail, test_id)
        except HubUnavailable as trouble:
            self._outbox.say(wire.error("unavailable", trouble.detail, test_id))
        else:
            self._streams.gate.watch(self._outbox.shut)

    async def _greet(self) -> None:
        view = await self._streams.gate.look()
        try:
            running = await sync_to_async(services.running_topics, thread_sensitive=False)()
        except services.Unavailable:
            running = []
        self._outbox.say(wire.hello(view.verdict, running))

    async def _follow_all(self) -> None:
        """The silent socket's wish: what runs now, and what opens later."""
        self._streams.gate.watch(self._outbox.shut)
        if not (await self._streams.gate.look()).is_shut:
            self._streams.openings.listen(self._follow_opened)
            with suppress(services.Unavailable):
                running = await sync_to_async(services.running_topics, thread_sensitive=False)()
                for topic in running:
                    self._follow_opened(topic)

    def _follow_opened(self, topic: str) -> None:
        self._do(self._follow(topic))

    async def _follow(self, topic: str) -> None:
        if topic not in self._outbox.following and self._outbox.closing is None:
            with suppress(UnknownTopic, HubUnavailable):
                await self._outbox.follow(topic, since=0)

    async def _write(self) -> None:
        """The only one who sends; a client that does not read keeps only this task waiting."""
        outbox = self._outbox
        while outbox.closing is None or outbox.waiting:
            await outbox.wake.wait()
            outbox.wake.clear()
            while (word := outbox.take()) is not None:
                await self.send(text_data=word)
        await self.close(outbox.closing)

    def _complain(self, code: str, detail: str, test_id: str | None = None) -> None:
        self._bad_asks += 1
        self._outbox.say(wire.error(code, detail, test_id))

    def _end_silence(self) -> None:
        if self._silence:
            self._silence.cancel()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            log.error("a socket failed at its work", exc_info=problem)

    def _leave(self) -> None:
        self._end_silence()
        self._streams.openings.ignore(self._follow_opened)
        self._streams.gate.unwatch(self._outbox.shut)
        self._outbox.dispose()
        for task in list(self._tasks):
            task.cancel()
