import random
import socket
from pathlib import Path

import pytest

from runs.host import ports


def binds(port: int) -> bool:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
    return True


def test_a_tools_port_is_none_that_the_system_lends_to_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = {ports.free() for _ in range(50)}
    assert max(found) < first
    assert all(map(binds, found))


def test_a_port_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        taken = held.getsockname()[1]
        monkeypatch.setattr(random, "sample", lambda _range, _count: [taken, 0])
        assert ports.free() != taken
        monkeypatch.setattr(random, "sample", lambda _range, _count: [taken])
        assert binds(ports.free())


@pytest.mark.parametrize("said", ["1024\t65535\n", None])
def test_a_system_that_keeps_no_ports_back_or_says_nothing_of_it_has_one_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    if said is not None:
        (tmp_path / "range").write_text(said)
    monkeypatch.setattr(ports, "_LENT", tmp_path / "range")
    assert binds(ports.free())
