"""Publishing: PUBLISH for who listens now, a bounded Valkey stream for who joins later.

Every call ends within half a second; a Valkey that is away raises `Unavailable`.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, cast

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from streaming import wire
from streaming.topics import FIELD, OPENED_GROUP, RUNNING, Keys

PATIENCE_S = 0.35
KEPT_UPDATES = 4000
KEPT_OPEN_S = 24 * 3600
KEPT_ENDED_S = 3600


class Unavailable(Exception):
    """Valkey did not take or give what was asked; live readers were not told."""


def open_topic(*, topic: str) -> None:
    """Begin a topic afresh, and tell the sockets that follow whatever runs."""
    keys = Keys(topic)
    with _transaction() as pipe:
        pipe.delete(keys.log, keys.newest)
        pipe.set(keys.state, "open", ex=KEPT_OPEN_S)
        pipe.sadd(RUNNING, topic)
    with _translated():
        async_to_sync(_announce)(topic)


def publish(*, topic: str, update: wire.Update) -> None:
    """Send an update to the topic's readers; keep the final ones, and the newest open one."""
    keys, message = Keys(topic), wire.pack_update(update)
    with _transaction() as pipe:
        if update.final:
            pipe.xadd(keys.log, {FIELD: message}, maxlen=KEPT_UPDATES, approximate=True)
            pipe.expire(keys.log, KEPT_OPEN_S)
        else:
            pipe.set(keys.newest, message, ex=KEPT_OPEN_S)
        # A Valkey that came back empty learns of the topic again; an ended topic stays ended.
        pipe.set(keys.state, "open", ex=KEPT_OPEN_S, nx=True)
        pipe.sadd(RUNNING, topic)
        pipe.publish(keys.channel, message)


def close_topic(*, topic: str, verdict: Mapping[str, Any], after: int = 0) -> None:
    """Tell the readers that the run has ended, once; the topic stays for an hour for late ones.

    `after` is the last seq that was ever told: a Valkey that came back empty has forgotten it.
    """
    keys = Keys(topic)
    kept = _last_kept(keys)
    if kept and kept[-1][0] == "end":
        return
    message = wire.pack_end(max([after, *(seq for _, seq in kept)]) + 1, verdict)
    with _transaction() as pipe:
        pipe.xadd(keys.log, {FIELD: message}, maxlen=KEPT_UPDATES, approximate=True)
        pipe.expire(keys.log, KEPT_ENDED_S)
        pipe.delete(keys.newest)
        pipe.set(keys.state, "ended", ex=KEPT_ENDED_S)
        pipe.srem(RUNNING, topic)
        pipe.publish(keys.channel, message)


def running_topics() -> list[str]:
    """Topics that are open now, oldest run first."""
    with _translated():
        members = cast("set[bytes]", _client().smembers(RUNNING))
        topics = sorted((member.decode() for member in members), key=lambda t: (len(t), t))
        states = _client().mget([Keys(topic).state for topic in topics]) if topics else []
    return [
        topic
        for topic, state in zip(topics, cast("list[bytes | None]", states), strict=True)
        if state == b"open"
    ]


def _last_kept(keys: Keys) -> list[tuple[wire.Kind, int]]:
    """Kind and seq of the open second and of the last entry of the log, in this order."""
    with _translated():
        pipe = _client().pipeline(transaction=True)
        pipe.get(keys.newest)
        pipe.xrevrange(keys.log, count=1)
        newest, entries = pipe.execute()
    messages = [newest] if newest else []
    messages += [fields[FIELD] for _, fields in entries]
    kept = []
    for message in messages:
        with suppress(ValueError):  # what nobody understands is told by whoever wants to show it
            kept.append(wire.read_header(message)[:2])
    return kept


async def _announce(topic: str) -> None:
    layer = get_channel_layer()
    message = {"type": "topic.opened", "topic": topic}
    await asyncio.wait_for(layer.group_send(OPENED_GROUP, message), PATIENCE_S)


@cache
def _connect(url: str) -> "redis.Redis":
    # One immediate second try, for a pooled connection that died with the last Valkey.
    retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return redis.Redis.from_url(
        url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S, retry=retry
    )


def _client() -> "redis.Redis":
    return _connect(settings.WEDSYNC_VALKEY_URL)


@contextmanager
def _transaction() -> Iterator[Pipeline]:
    with _translated(), _client().pipeline(transaction=True) as pipe:
        yield pipe
        pipe.execute()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError, TimeoutError) as problem:
        raise Unavailable(f"The live streams' Valkey does not answer: {problem}") from problem
