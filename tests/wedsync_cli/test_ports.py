import os
import socket
from collections.abc import Iterator

import pytest

from wedsync_cli import ports
from wedsync_cli.words import BROKEN, Problem


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_names_who_holds_it_and_offers_a_free_one(taken: int) -> None:
    with pytest.raises(Problem) as problem:
        ports.require(taken, verb="up")

    assert problem.value.code == BROKEN
    assert problem.value.what.startswith(f"Port {taken} is taken")
    assert f"(pid {os.getpid()})" in problem.value.what
    offered = int(problem.value.then.removeprefix("Try ./wedsync up --port "))
    assert ports.is_free(offered)


def test_our_own_stack_is_named_as_such(taken: int) -> None:
    with pytest.raises(Problem, match=r"is taken by \./wedsync demo \(pid 7\)"):
        ports.require(taken, verb="up", holder="./wedsync demo (pid 7)")


def test_a_port_taken_on_all_addresses_is_not_free_on_loopback() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])


def test_a_free_port_asks_for_nothing() -> None:
    ports.require(ports.free(), verb="up")
