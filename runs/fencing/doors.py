"""The relay of a fence, and the terms on which the tool's launcher makes its doors."""

import contextlib
import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runs.fencing.fence import Fence
from runs.host.child import Child
from runs.host.identity import Identity

SHUT: dict[str, Any] = {"listen": [], "hosts": "", "control": -1}
"""No door: the program has no network at all."""
_RELAY = Path(__file__).with_name("relay.py")


@contextlib.contextmanager
def made(
    fence: Fence | None, cwd: Path, go: int
) -> Iterator[tuple[Child | None, dict[str, Any] | None]]:
    """The tool is to be started inside; the relay outlives this and waits for its doors, which it
    opens at a byte from `go`.
    """
    if fence is None:
        yield None, None
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        to = [door.outside for door in fence.doors]
        relay = Child(
            [
                *(sys.executable, "-I", "-S", str(_RELAY)),
                json.dumps({"control": ours.fileno(), "go": go, "to": to}),
            ],
            {},
            who=Identity(),
            cwd=cwd,
            pass_fds=(ours.fileno(), go),
            is_warded=False,
        )
        listen = [door.inside for door in fence.doors]
        yield relay, {"listen": listen, "hosts": fence.hosts_file(), "control": theirs.fileno()}
