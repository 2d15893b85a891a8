"""Finds and ends every process of a stack through /proc: by session, by descent, by its mark."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_GONE = "ZX"  # a zombie waits for its parent and holds nothing


@dataclass(frozen=True)
class Process:
    pid: int
    started: int
    """Clock ticks since boot: a pid that was given away again has another."""
    parent: int = field(compare=False)
    session: int = field(compare=False)


def running() -> dict[int, Process]:
    found = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit() and (process := _read(int(entry.name))):
            found[process.pid] = process
    return found


def members(table: dict[int, Process], *, leaders: Iterable[int], mark: str) -> set[Process]:
    """The leaders, their sessions, whoever carries `mark`, and all their descendants; never us.

    A tool's warden carries the mark, and adopts what a script starts without it.
    """
    leaders = set(leaders)
    roots = leaders | {pid for pid in table if mark and _carries(pid, mark)}
    found = {
        process
        for process in table.values()
        if process.session in leaders or _descends(process, table, roots)
    }
    return {process for process in found if process.pid != os.getpid()}


def end(find: Callable[[], set[Process]], *, grace: float, known: Iterable[Process] = ()) -> int:
    """TERM, then KILL after `grace` seconds, until none is left. Returns how many were killed.

    `known` are members that `find` may no longer see: an orphan does not tell whose it was.
    """
    seen, killed = set(known), set[Process]()
    deadline = time.monotonic() + grace
    sent: set[Process] = set()
    while left := find() | _alive(seen):
        late = time.monotonic() >= deadline
        for process in left if late else left - sent:
            send(process, signal.SIGKILL if late else signal.SIGTERM)
        seen, sent, killed = seen | left, sent | left, killed | left if late else killed
        if time.monotonic() >= deadline + 5:
            break
        time.sleep(0.05)
    return len(killed)


def send(process: Process, number: signal.Signals) -> None:
    if _read(process.pid) == process:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)


def _alive(processes: set[Process]) -> set[Process]:
    return {process for process in processes if _read(process.pid) == process}


def _read(pid: int) -> Process | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in brackets may hold anything, so fields are counted from the last bracket.
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in _GONE:
        return None
    return Process(pid, int(fields[19]), parent=int(fields[1]), session=int(fields[3]))


def _descends(process: Process, table: dict[int, Process], leaders: set[int]) -> bool:
    seen: set[int] = set()
    pid = process.pid
    while pid in table and pid not in seen:
        if pid in leaders:
            return True
        seen.add(pid)
        pid = table[pid].parent
    return False


def _carries(pid: int, mark: str) -> bool:
    try:
        content = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return mark.encode() in content.split(b"\0")
