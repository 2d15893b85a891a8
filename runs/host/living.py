"""Which processes of a tool still live, and their end: read in /proc, by descent from its warden.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from runs.host.launcher import END_NOW

MARK = "WEDSYNC_RUN"
"""The environment's name for a run's mark, which every process of its tool carries."""
_PROC = Path("/proc")
_GONE = "ZX"
PATIENCE_S = 2.0


def end_stranger(group: int, born: int | None, mark: str) -> int:
    """End what another process of ours started; its number may have been given to others."""
    is_there = born is not None and born_at(group) == born
    return end(group if is_there else None, mark)


def end(leader: int | None, mark: str = "") -> int:
    """End what descends from a warden or carries a mark, and then the warden; how many survived.

    `leader` is None where the warden is gone: its number may be another's by now.
    """

    def look() -> set[int]:
        found = {*(members(leader) if leader else ()), *(strays(mark) if mark else ())}
        for pid in found - {leader}:
            _signal(pid, signal.SIGKILL)
        return found

    if leader:
        _signal(leader, END_NOW)
        _signal(leader, signal.SIGCONT)  # where the script is its own user it may have stopped it
    if wait_until_gone(look, PATIENCE_S) == 0:
        return 0
    if leader and look() == {leader}:
        _signal(leader, signal.SIGKILL)
    return wait_until_gone(look, 0.1)


def born_at(pid: int) -> int | None:
    """The process's start in clock ticks since boot (proc(5)); a reused number differs in it."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def strays(mark: str) -> list[int]:
    """Living processes that carry a run's mark: a script that ended its warden leaves them."""
    if not _PROC.exists():
        return []
    words, found = f"{MARK}={mark}".encode(), []
    for pid in _numbers():
        with contextlib.suppress(OSError):
            if words in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return [pid for pid in found if (fields := _stat(pid)) and fields[0] not in _GONE]


def members(leader: int) -> list[int]:
    """The leader and those that descend from it, in whatever session: a warden adopts its orphans.

    A zombie still answers signals but loads nobody.
    """
    if not _PROC.exists():
        return [leader] if _answers(leader) else []
    table = {pid: fields for pid in _numbers() if (fields := _stat(pid))}
    parents = {pid: int(fields[1]) for pid, fields in table.items()}
    return [
        pid
        for pid, fields in table.items()
        if fields[0] not in _GONE and _descends(pid, leader, parents)
    ]


def _descends(pid: int, leader: int, parents: Mapping[int, int]) -> bool:
    seen: set[int] = set()
    while pid in parents and pid not in seen:
        if pid == leader:
            return True
        seen.add(pid)
        pid = parents[pid]
    return False


def _numbers() -> list[int]:
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def wait_until_gone(look: Callable[[], Collection[int]], seconds: float) -> int:
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if not (left := look()):
            return 0
        pause.wait(0.02)
    return len(left)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
