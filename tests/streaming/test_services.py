import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from streaming import services
from streaming.topics import FIELD, Keys
from tests.streaming.conftest import update
from tests.valkey import Valkey

HOUR_S = 3600


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried here is what is written; how soon it gives up is tried with the hub."""
    monkeypatch.setattr(services, "PATIENCE_S", 5.0)


@pytest.fixture
def topic(valkey: Valkey) -> str:
    topic = secrets.token_hex(4)
    services.open_topic(topic=topic)
    return topic


@pytest.fixture
def store(valkey: Valkey) -> Iterator[Any]:
    with redis.Redis.from_url(valkey.url) as client:
        yield client


def logged(store: Any, topic: str) -> list[bytes]:
    headers = [fields[FIELD].partition(b"\n")[0] for _, fields in store.xrange(Keys(topic).log)]
    return headers


def test_a_topic_runs_from_its_opening_to_its_close(topic: str) -> None:
    assert topic in services.running_topics()
    services.close_topic(topic=topic, verdict={})
    assert topic not in services.running_topics()


def test_final_seconds_and_the_end_are_kept_and_one_open_second(topic: str, store: Any) -> None:
    services.publish(topic=topic, update=update(1, final=False))
    services.publish(topic=topic, update=update(2))
    services.publish(topic=topic, update=update(3, final=False))
    assert store.get(Keys(topic).newest).startswith(b"update 3 0\n")
    services.close_topic(topic=topic, verdict={})
    assert logged(store, topic) == [b"update 2 1", b"end 4 1"]
    assert store.get(Keys(topic).newest) is None


def test_a_run_ends_once(topic: str, store: Any) -> None:
    services.close_topic(topic=topic, verdict={"outcome": "passed"})
    services.close_topic(topic=topic, verdict={"outcome": "lost"})
    assert logged(store, topic) == [b"end 1 1"]


def test_an_update_that_comes_after_the_end_does_not_revive_the_run(topic: str) -> None:
    services.close_topic(topic=topic, verdict={})
    services.publish(topic=topic, update=update(9, final=False))
    assert topic not in services.running_topics()


def test_opening_again_begins_afresh(topic: str, store: Any) -> None:
    services.publish(topic=topic, update=update(1))
    services.close_topic(topic=topic, verdict={})
    services.open_topic(topic=topic)
    assert logged(store, topic) == []
    assert topic in services.running_topics()


def test_nothing_stays_for_ever(topic: str, store: Any) -> None:
    keys = Keys(topic)
    services.publish(topic=topic, update=update(1))
    services.publish(topic=topic, update=update(2, final=False))
    assert all(0 < store.ttl(key) <= 24 * HOUR_S for key in (keys.log, keys.newest, keys.state))
    services.close_topic(topic=topic, verdict={})
    assert all(0 < store.ttl(key) <= HOUR_S for key in (keys.log, keys.state))


def test_the_kept_seconds_are_bounded(
    topic: str, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "KEPT_UPDATES", 20)
    for seq in range(1, 301):
        services.publish(topic=topic, update=update(seq))
    assert 20 <= store.xlen(Keys(topic).log) < 150
