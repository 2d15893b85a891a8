"""The REST API of a k6 that runs, https://grafana.com/docs/k6/latest/misc/k6-rest-api/

Free ports are given out before k6 takes them, so two runs may be given one: what makes requests is
told to our own k6 only. See proc_net_tcp(5) and proc_pid_fd(5).
"""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from runs.tools import Job, ToolProblem

_TABLE = Path("/proc/net/tcp")
_LISTENS = "0A"
_HERE = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"


def address(job: Job) -> str:
    return f"127.0.0.1:{job.port}"


def api(job: Job) -> httpx.Client:
    return httpx.Client(base_url=f"http://{address(job)}", timeout=2.0, trust_env=False)


@contextlib.contextmanager
def own_api(job: Job, go_fd: int) -> Iterator[httpx.Client]:
    """Raises ToolProblem where it is another's; `go_fd` is the writing end of our pipe."""
    if not _is_ours(job.port, go_fd):
        sentence = (
            f"k6 was told nothing, as port {job.port} of this machine is another program's; it was "
            "stopped. Start the run again."
        )
        raise ToolProblem(sentence, code="tool_error")
    with api(job) as found:
        yield found


def _is_ours(port: int, go_fd: int) -> bool:
    """Whether who listens there on 127.0.0.1 holds our pipe as well, which only our k6 inherited.

    Where there is no /proc nobody can know, and it is taken for ours.
    """
    if not _TABLE.exists():
        return True
    listener = _listener(port)
    pipe = f"pipe:[{os.fstat(go_fd).st_ino}]"
    numbers = sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)
    return bool(listener) and any({listener, pipe} <= _held_by(number) for number in numbers)


def _listener(port: int) -> str:
    with _TABLE.open() as table:
        for _, local, _, state, *more in map(str.split, table):
            if state == _LISTENS and local == f"{_HERE}:{port:04X}":
                return f"socket:[{more[5]}]"
    return ""


def _held_by(process: int) -> set[str]:
    folder, found = f"/proc/{process}/fd", set()
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"{folder}/{name}"))
    return found
