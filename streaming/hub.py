"""One hub per process: one connection, one subscription per topic, each message built once."""

import asyncio
import logging
import random
from collections.abc import Coroutine, Iterable, Iterator
from typing import Any

import redis.asyncio as valkey
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from streaming import wire
from streaming.readers import Reader, Topic
from streaming.topics import FIELD, HUB_CHANNEL, Keys, topic_of
from streaming.wire import Frame

log = logging.getLogger(__name__)

LOST = (RedisError, OSError, TimeoutError)
ANSWER_S = 2.0
QUIET_S = 5.0
LONGEST_BACKOFF_S = 2.0
RETRY_S = 0.2


class UnknownTopic(Exception):
    """No such topic: never opened, or ended more than an hour ago."""

    detail = "No live stream: no such test, not started yet, or over for more than an hour."


class HubUnavailable(Exception):
    """Valkey does not answer, so nobody can join just now."""

    detail = "Live streams are out of order for a moment; ask again in a few seconds."


class Hub:
    """Lives on one event loop. Joining needs Valkey; who has joined survives its loss."""

    def __init__(self, url: str, *, kept: int = 4000) -> None:
        self._url, self._kept = url, kept
        self._topics: dict[str, Topic] = {}
        self._pubsub: PubSub | None = None
        self._commands = self._client(socket_timeout=ANSWER_S)
        self._subscribing = asyncio.Lock()
        self._confirmations: dict[str, asyncio.Future[None]] = {}
        self._connected = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Task[Any]] = set()

    @property
    def followed(self) -> tuple[str, ...]:
        return tuple(topic.id for topic in self._topics.values() if topic.readers)

    async def join(self, topic_id: str, *, since: int, wake: asyncio.Event) -> Reader:
        """Follow a topic from after `since`. Raises UnknownTopic or HubUnavailable."""
        self.start()
        topic = self._topics.setdefault(topic_id, Topic(topic_id, self._kept))
        reader = Reader(topic, wake)
        topic.readers.add(reader)
        try:
            if not topic.known:
                await self._meet(topic)
        except BaseException:
            self.leave(reader)
            raise
        reader.stand_after(since)
        return reader

    def leave(self, reader: Reader) -> None:
        reader.topic.readers.discard(reader)
        if not reader.topic.readers:
            self._do(self._forget(reader.topic))

    def start(self) -> None:
        if self._listener is None:
            self._listener = asyncio.ensure_future(self._stay_connected())

    async def aclose(self) -> None:
        tasks = [task for task in (self._listener, *self._chores) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._commands.aclose()

    async def _meet(self, topic: Topic) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._connected.wait()
                await asyncio.shield(topic.loading or self._begin_load(topic))
        except LOST as problem:
            raise HubUnavailable(str(problem) or "no answer in time") from problem
        if not topic.known:
            raise UnknownTopic(topic.id)

    async def _stay_connected(self) -> None:
        backoff = 0.05
        while True:
            client = self._client(socket_timeout=None)
            pubsub = client.pubsub()
            try:
                await pubsub.subscribe(HUB_CHANNEL)
                self._pubsub = pubsub
                self._do(self._restore(pubsub))
                backoff = 0.05
                await self._listen(pubsub)
            except LOST as problem:
                log.warning("live streams wait for Valkey: %s", problem)
            finally:
                self._disconnected()
                await self._discard(pubsub, client)
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)

    async def _listen(self, pubsub: PubSub) -> None:
        """Relay until the connection breaks or stays silent through a ping."""
        asked = False
        while True:
            message = await pubsub.get_message(timeout=QUIET_S)
            if message is not None:
                asked = False
                self._hear(message)
            elif asked:
                raise TimeoutError("no answer to a ping")
            else:
                asked = True
                await pubsub.ping()

    def _hear(self, message: dict[str, Any]) -> None:
        channel = (message["channel"] or b"").decode()
        if message["type"] == "subscribe":
            confirmation = self._confirmations.pop(channel, None)
            if confirmation and not confirmation.done():
                confirmation.set_result(None)
        elif message["type"] == "message" and (topic := self._topics.get(topic_of(channel))):
            for frame in _readable(topic, [message["data"]]):
                topic.hear(frame)

    def _begin_load(self, topic: Topic) -> "asyncio.Task[None]":
        topic.loading = self._do(self._load(topic))
        return topic.loading

    async def _load(self, topic: Topic) -> None:
        """Subscribe first, then read what was kept: nothing falls between."""
        keys = Keys(topic.id)
        try:
            await self._subscribe(keys.channel)
            pipe = self._commands.pipeline(transaction=True)
            pipe.xrange(keys.log)
            pipe.get(keys.newest)
            pipe.get(keys.state)
            entries, newest, state = await pipe.execute()
            kept = [fields[FIELD] for _, fields in entries] + ([newest] if newest else [])
            frames = [*_readable(topic, kept), *topic.arriving]
            for frame in sorted(frames, key=lambda frame: frame.seq):
                topic.add(frame)
            topic.known = topic.known or bool(state or topic.log)
        finally:
            topic.arriving.clear()
            topic.loading = None

    async def _subscribe(self, channel: str) -> None:
        confirmed = asyncio.get_running_loop().create_future()
        async with self._subscribing:
            if self._pubsub is None:
                raise ConnectionError("not connected")
            self._confirmations[channel] = confirmed
            await self._pubsub.subscribe(channel)
        async with asyncio.timeout(ANSWER_S):
            await confirmed

    async def _restore(self, pubsub: PubSub) -> None:
        """After a connection came (back): load every followed topic, then let new readers in."""
        for topic in list(self._topics.values()):
            while topic.readers and self._pubsub is pubsub:
                try:
                    await (topic.loading or self._begin_load(topic))
                    break
                except LOST as problem:
                    log.warning("topic %s is not loaded yet: %s", topic.id, problem)
                    await asyncio.sleep(RETRY_S)
        if self._pubsub is pubsub:
            self._connected.set()

    async def _forget(self, topic: Topic) -> None:
        async with self._subscribing:
            if topic.readers or self._topics.get(topic.id) is not topic:
                return
            del self._topics[topic.id]
            if self._pubsub is not None:
                await self._pubsub.unsubscribe(Keys(topic.id).channel)

    def _disconnected(self) -> None:
        self._pubsub = None
        self._connected.clear()
        for confirmation in self._confirmations.values():
            if not confirmation.done():
                confirmation.set_exception(ConnectionError("the connection was lost"))
                confirmation.exception()
        self._confirmations.clear()

    async def _discard(self, pubsub: PubSub, client: "valkey.Redis") -> None:
        try:
            await pubsub.aclose()  # type: ignore[no-untyped-call]
            await client.aclose()
        except LOST:
            log.debug("the broken connection could not even be closed")

    def _do(self, chore: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run something beside; a lost connection ends it, and the reconnect makes up for it."""
        task = asyncio.ensure_future(chore)
        self._chores.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._chores.discard(task)
        if not task.cancelled() and (problem := task.exception()) and not isinstance(problem, LOST):
            log.error("the hub failed at a chore", exc_info=problem)

    def _client(self, *, socket_timeout: float | None) -> "valkey.Redis":
        # redis-py's own retries reconnect behind our back, and messages in between would be lost.
        never = Retry(NoBackoff(), 0, supported_errors=())
        return valkey.Redis.from_url(
            self._url,
            socket_timeout=socket_timeout,
            socket_connect_timeout=ANSWER_S,
            socket_keepalive=True,
            retry=never,
        )


def _readable(topic: Topic, messages: Iterable[bytes]) -> Iterator[Frame]:
    """One that nobody understands, of another version perhaps, keeps no other from its readers."""
    for message in messages:
        try:
            yield wire.frame(topic.id, message)
        except ValueError as problem:
            log.warning("topic %s: %s", topic.id, problem)
