"""A port of this machine for a tool to listen on, a while before it does."""

import contextlib
import random
import socket
from pathlib import Path

# What the system lends to connections: ip_local_port_range in ip(7).
_LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _MOST_TRIES = 10_000, 100


def free() -> int:
    """One that no connection borrows meanwhile, as those that a load test opens would."""
    for port in random.sample(_never_lent(), _MOST_TRIES):
        with contextlib.suppress(OSError):
            return _bound(port)
    return _bound(0)


def _never_lent() -> range:
    """As many as are tried at least, though the system may lend those as well."""
    first = 32_768
    with contextlib.suppress(OSError):
        first = int(_LENT.read_text().split()[0])
    return range(_LOWEST, max(first, _LOWEST + _MOST_TRIES))


def _bound(port: int) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
