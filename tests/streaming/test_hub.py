import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis

from streaming import services
from streaming.hub import Hub, HubUnavailable, UnknownTopic
from streaming.readers import Reader
from streaming.topics import FIELD, Keys
from tests.streaming.conftest import Publisher, update
from tests.valkey import Valkey


@pytest.fixture
async def hub(valkey: Valkey) -> AsyncIterator[Hub]:
    hub = Hub(valkey.url, kept=10)
    yield hub
    await hub.aclose()


async def join(hub: Hub, topic: str, since: int = 0) -> Reader:
    return await hub.join(topic, since=since, wake=asyncio.Event())


async def read_until(reader: Reader, seq: int) -> list[int]:
    """Everything that is sent up to a number."""
    seen: list[int] = []
    async with asyncio.timeout(10):
        while not seen or seen[-1] < seq:
            reader.wake.clear()
            while frame := reader.take():
                seen.append(frame.seq)
            if not seen or seen[-1] < seq:
                await reader.wake.wait()
    return seen


async def arrive(hub: Hub, topic: str, seq: int) -> None:
    """Wait until the hub has heard a number, by a reader that is quick."""
    reader = await join(hub, topic)
    await read_until(reader, seq)
    hub.leave(reader)


async def test_a_slow_reader_skips_open_seconds_but_gets_every_final_one(
    hub: Hub, publisher: Publisher
) -> None:
    slow = await join(hub, publisher.topic)
    for second in range(5):
        await publisher.publish(3 * second + 1, 3 * second + 2, final=False)
        await publisher.publish(3 * second + 3)
    await publisher.publish(16, 17, final=False)
    await arrive(hub, publisher.topic, 17)
    assert await read_until(slow, 17) == [3, 6, 9, 12, 15, 17]


async def test_who_falls_behind_the_log_sees_the_gap_in_the_numbers(
    hub: Hub, publisher: Publisher
) -> None:
    slow = await join(hub, publisher.topic)
    await publisher.publish(*range(1, 16))
    await arrive(hub, publisher.topic, 15)
    assert await read_until(slow, 15) == list(range(6, 16))


async def test_a_hundred_readers_share_one_subscription_and_one_frame(
    hub: Hub, publisher: Publisher, valkey: Valkey
) -> None:
    readers = await asyncio.gather(*(join(hub, publisher.topic) for _ in range(100)))
    await publisher.publish(1)
    await read_until(readers[0], 1)
    frames = {id(reader.topic.after(0)) for reader in readers}
    assert len(frames) == 1
    with redis.Redis.from_url(valkey.url) as admin:
        assert admin.pubsub_numsub(Keys(publisher.topic).channel)[0][1] == 1


async def test_many_topics_joined_at_once_lose_nothing(hub: Hub, valkey: Valkey) -> None:
    publishers = [Publisher(secrets.token_hex(4)) for _ in range(30)]
    for publisher in publishers:
        await publisher.open()
    readers = await asyncio.gather(*(join(hub, p.topic) for p in publishers))
    for publisher in publishers:
        await publisher.publish(1, 2)
    for reader in readers:
        assert await read_until(reader, 2) in ([1, 2], [2])


async def test_joining_while_updates_come_loses_and_repeats_nothing(
    hub: Hub, publisher: Publisher
) -> None:
    publishing = asyncio.ensure_future(publisher.publish(*range(1, 10)))
    readers = [await join(hub, publisher.topic) for _ in range(5)]
    await publishing
    for reader in readers:
        assert await read_until(reader, 9) == list(range(1, 10))


async def test_a_topic_that_nobody_follows_is_let_go(
    hub: Hub, publisher: Publisher, valkey: Valkey
) -> None:
    reader = await join(hub, publisher.topic)
    hub.leave(reader)
    with redis.Redis.from_url(valkey.url) as admin:
        async with asyncio.timeout(5):
            while admin.pubsub_numsub(Keys(publisher.topic).channel)[0][1]:
                await asyncio.sleep(0)
    assert hub.followed == ()


async def test_an_unknown_topic_is_told_apart_and_may_open_later(hub: Hub, valkey: Valkey) -> None:
    publisher = Publisher(secrets.token_hex(4))
    with pytest.raises(UnknownTopic):
        await join(hub, publisher.topic)
    await publisher.open()
    await join(hub, publisher.topic)


async def test_a_kept_message_that_nobody_understands_keeps_no_other_from_its_readers(
    hub: Hub, publisher: Publisher, valkey: Valkey
) -> None:
    await publisher.publish(1)
    keys = Keys(publisher.topic)
    with redis.Redis.from_url(valkey.url) as stranger:
        stranger.xadd(keys.log, {FIELD: b"a message of another version"})
        stranger.set(keys.newest, b"and another")
    reader = await join(hub, publisher.topic)
    assert await read_until(reader, 1) == [1]


async def test_a_foreign_message_on_a_channel_does_no_harm(
    hub: Hub, publisher: Publisher, valkey: Valkey
) -> None:
    reader = await join(hub, publisher.topic)
    with redis.Redis.from_url(valkey.url) as stranger:
        stranger.publish(Keys(publisher.topic).channel, b"\xff garbage")
    await publisher.publish(1)
    assert await read_until(reader, 1) == [1]


class TestWithoutValkey:
    """Its loss is a pause, not an end."""

    @pytest.fixture(autouse=True)
    def moved(self, settings: Any, own_valkey: Valkey) -> None:
        settings.WEDSYNC_VALKEY_URL = own_valkey.url
        layer = settings.CHANNEL_LAYERS["default"]
        hosts = [{"address": own_valkey.url, "socket_timeout": None}]
        settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": {"hosts": hosts}}}

    @pytest.fixture
    async def hub(self, own_valkey: Valkey) -> AsyncIterator[Hub]:
        hub = Hub(own_valkey.url)
        yield hub
        await hub.aclose()

    async def test_readers_stay_through_a_restart(self, hub: Hub, own_valkey: Valkey) -> None:
        publisher = Publisher("7")
        await publisher.open()
        reader = await join(hub, "7")
        await publisher.publish(1, 2)
        assert await read_until(reader, 2) == [1, 2]
        own_valkey.kill()
        with pytest.raises(services.Unavailable):
            await asyncio.to_thread(services.publish, topic="7", update=update(3))
        own_valkey.start()
        await publisher.publish(4)
        assert await read_until(reader, 4) == [4]
        assert await asyncio.to_thread(services.running_topics) == ["7"]
        await publisher.close()
        assert await read_until(reader, 5) == [5]

    async def test_what_was_published_while_the_hub_was_away_is_replayed(
        self, hub: Hub, own_valkey: Valkey
    ) -> None:
        publisher = Publisher("7")
        await publisher.open()
        reader = await join(hub, "7")
        await publisher.publish(1)
        assert await read_until(reader, 1) == [1]
        with redis.Redis.from_url(own_valkey.url) as admin:
            admin.client_kill_filter(_type="pubsub")
        await publisher.publish(2, 3)
        await publisher.publish(4, final=False)
        assert [seq for seq in await read_until(reader, 4) if seq < 4] == [2, 3]

    async def test_nobody_can_join_meanwhile(self, hub: Hub, own_valkey: Valkey) -> None:
        own_valkey.kill()
        with pytest.raises(HubUnavailable):
            await join(hub, "7")

    @pytest.mark.parametrize("trouble", ["kill", "freeze"])
    async def test_a_publisher_is_told_within_half_a_second(
        self, own_valkey: Valkey, trouble: str
    ) -> None:
        await Publisher("7").open()
        getattr(own_valkey, trouble)()
        calls = (
            lambda: services.open_topic(topic="7"),
            lambda: services.publish(topic="7", update=update(1)),
            lambda: services.close_topic(topic="7", verdict={}),
            services.running_topics,
        )
        loop = asyncio.get_running_loop()
        for call in calls:
            begun = loop.time()
            with pytest.raises(services.Unavailable):
                await asyncio.to_thread(call)
            assert loop.time() - begun < 2
