"""A port of this machine for a tool to listen on, a while before it does."""

import contextlib
import random
import socket
from pathlib import Path

# What the system lends to connections: ip_local_port_range in ip(7), and Linux' own if unsaid.
_LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUALLY_LENT = (32_768, 60_999)
_LOWEST, _HIGHEST = 10_000, 65_535
_ENOUGH, _MOST_TRIES = 1_000, 100


def free() -> int:
    """One that no connection borrows meanwhile, as those that a load test opens would.

    Where the system keeps too few back for runs that begin at once, it is any that is free.
    """
    never_lent = _never_lent()
    if len(never_lent) >= _ENOUGH:
        for port in random.sample(never_lent, _MOST_TRIES):
            with contextlib.suppress(OSError):
                return _bound(port)
    return _bound(0)


def _never_lent() -> list[int]:
    first, last = _USUALLY_LENT
    with contextlib.suppress(OSError, ValueError):
        first, last = map(int, _LENT.read_text().split())
    return [port for port in range(_LOWEST, _HIGHEST + 1) if not first <= port <= last]


def _bound(port: int) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
