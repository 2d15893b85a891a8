"""Which ports are free, and who holds one that is not."""

import contextlib
import errno
import os
import socket
from pathlib import Path

from wedsync_cli.words import Problem

_ANY = range(1, 65536)


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_free(port: int) -> bool:
    """Free on both loopback addresses: a browser asked for localhost may try either."""
    return _binds(socket.AF_INET, "127.0.0.1", port) and _binds(socket.AF_INET6, "::1", port)


def next_free(port: int) -> int:
    """The first free one after `port`, or any free one when the next hundred are taken."""
    near = (p for p in range(port + 1, port + 101) if p in _ANY and is_free(p))
    return next(near, 0) or free()


def require(port: int, *, verb: str, holder: str = "") -> None:
    """Raises a Problem that names the holder and offers a port that is free."""
    if is_free(port):
        return
    who = holder or who_listens(port)
    raise Problem(
        f"Port {port} is taken{f' by {who}' if who else ''}.",
        then=f"Try ./wedsync {verb} --port {next_free(port)}",
    )


def who_listens(port: int) -> str:
    """`nginx (pid 12)` where /proc lets us see it, else nothing."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(table, port)}
    for entry in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with contextlib.suppress(OSError):
            if os.readlink(entry) in inodes:
                name = (entry.parents[1] / "comm").read_text(encoding="utf-8").strip()
                return f"{name} (pid {entry.parents[1].name})"
    return ""


def _listening(table: str, port: int) -> list[str]:
    try:
        rows = Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return []
    fields = (row.split() for row in rows)
    listening = "0A"
    return [
        f"socket:[{f[9]}]"
        for f in fields
        if f[3] == listening and int(f[1].rpartition(":")[2], 16) == port
    ]


def _binds(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        # No IPv6 here is no reason to refuse.
        return error.errno != errno.EADDRINUSE
    return True
