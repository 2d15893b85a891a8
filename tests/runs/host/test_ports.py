import random
import socket
from pathlib import Path

import pytest

from runs.host import ports


def binds(port: int) -> bool:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
    return True


@pytest.mark.parametrize(("first", "last"), [(32768, 60999), (15000, 64000), (9000, 9500)])
def test_a_tools_port_is_none_that_the_system_lends_to_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, last: int
) -> None:
    (tmp_path / "range").write_text(f"{first}\t{last}\n")
    monkeypatch.setattr(ports, "_LENT", tmp_path / "range")
    found = {ports.free() for _ in range(50)}
    assert [port for port in found if first <= port <= last] == []
    assert len(found) > 40
    assert all(map(binds, found))


@pytest.mark.parametrize("said", ["1024\t65535\n", "10050\t65000\n", "", None])
def test_where_the_system_keeps_too_few_back_or_says_nothing_any_free_port_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    if said is not None:
        (tmp_path / "range").write_text(said)
    monkeypatch.setattr(ports, "_LENT", tmp_path / "range")
    found = {ports.free() for _ in range(50)}
    assert len(found) > 40
    assert all(map(binds, found))


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        taken = held.getsockname()[1]
        monkeypatch.setattr(random, "sample", lambda _ports, _count: [taken])
        assert binds(ports.free())
