"""Which processes of a tool still live, and their end: read in /proc, signalled by group.

https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
"""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Collection
from pathlib import Path

MARK = "WEDSYNC_RUN"
"""The environment's name for a run's mark, which every process of its tool carries."""
_PROC = Path("/proc")


def end_stranger(group: int, began: int | None) -> int:
    """End a group that another process of ours started, unless its number was given to others."""
    if began is None or born(group) not in {None, began}:
        return 0
    signal_group(group, signal.SIGKILL)
    return wait_until_gone(lambda: members(group), 2.0)


def born(pid: int) -> int | None:
    """The process's start in clock ticks since boot (proc(5)); a reused number differs in it."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def strays(mark: str) -> list[int]:
    """Living processes that carry a run's mark, also those that left its group (setsid)."""
    if not _PROC.exists():
        return []
    words, found = f"{MARK}={mark}".encode(), []
    for entry in _PROC.iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and words in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return [pid for pid in found if (fields := _stat(pid)) and fields[0] not in "ZX"]


def members(group: int) -> list[int]:
    """Living processes of a group. A zombie still answers signals but loads nobody."""
    if not _PROC.exists():
        return [group] if _answers(group) else []
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            state, group_of_it = fields[0], int(fields[2])
            if group_of_it == group and state not in "ZX":
                found.append(int(entry.name))
    return found


def _answers(group: int) -> bool:
    try:
        os.killpg(group, 0)
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


def signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
