"""Ports of loopback for what a test starts, stops, and starts again, or leaves to nobody."""

import socket

_KEPT: list[socket.socket] = []


def keep() -> int:
    """A free one that the system gives to nobody else as long as this process lives.

    It is bound and not listened on, so a server that reuses addresses, as all do, still may.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _KEPT.append(keeper)
    port: int = keeper.getsockname()[1]
    return port
