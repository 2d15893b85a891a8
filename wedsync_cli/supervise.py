"""Keeps a stack's children alive and ends them together, whatever happens to us."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from wedsync_cli import children, processes
from wedsync_cli.children import BackOff, Child
from wedsync_cli.say import Say
from wedsync_cli.words import Problem, last_words

_LOG_LIMIT = 5_000_000


class Interrupted(BaseException):
    """Ctrl-C, a hang-up or a TERM: the person wants us to stop in order."""


class Signals:
    """The first signal raises Interrupted in the main thread, a later one sets `hurry`."""

    def __init__(self) -> None:
        self.hurry = threading.Event()
        self._armed = True

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def disarm(self) -> None:
        """From now on we are stopping: signals no longer raise."""
        self._armed = False

    def _on_signal(self, number: int, frame: object) -> None:
        if self._armed:
            self._armed = False
            raise Interrupted(signal.Signals(number).name)
        self.hurry.set()


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    since: float
    failures: int = 0
    due: float | None = None
    """When the dead child is started again; None while it lives."""


class Supervisor:
    def __init__(
        self,
        *,
        root: Path,
        logs: Path,
        stack_id: str,
        say: Say,
        back_off: BackOff | None = None,
        lock: TextIO | None = None,
    ) -> None:
        self._root, self._logs, self._say = root, logs, say
        self._back_off = back_off or BackOff()
        self._mark = f"{children.STACK}={stack_id}"
        self._running: list[_Running] = []
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._keep_alive, name="watch", daemon=True)
        self._reaper = _start_reaper(root, self._mark, lock)

    def start(self, *group: Child, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Starts the group together and waits until all are ready; a Problem tells what failed."""
        started = []
        for child in group:
            started.append(self._first_start(child))
            self._running.append(started[-1])
        meanwhile()
        for running in started:
            self._await_ready(running)

    def watch(self) -> None:
        """From now on dead children are started again."""
        self._watch.start()

    def stop(self, *, hurry: threading.Event) -> int:
        """Ends all, stage by stage; at once when `hurry` is set. Returns how many were killed."""
        self._stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        known: set[processes.Process] = set()
        for stage, patience in enumerate(children.STOP_STAGES):
            known |= self._members()
            group = [r for r in self._running if r.child.stop_stage == stage]
            _stop_group(group, patience, hurry)
        left = processes.end(self._members, grace=0, known=known)
        self._close_reaper()
        return left

    def left(self) -> int:
        """How many processes of the stack there are."""
        return len(self._members())

    def _first_start(self, child: Child) -> _Running:
        log = self._log_of(child)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        return _Running(child, self._spawn(child), time.monotonic())

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        with self._log_of(child).open("ab") as log:
            process = subprocess.Popen(
                child.argv,
                env=dict(child.env),
                cwd=self._root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tell_reaper("+", process.pid)
        return process

    def _await_ready(self, running: _Running) -> None:
        child, log = running.child, self._log_of(running.child)
        deadline = time.monotonic() + child.patience.total_seconds()
        while not _is_ready(child.ready, log):
            code = running.process.poll()
            if code is not None or time.monotonic() > deadline:
                ended = f"ended with code {code}" if code is not None else "did not answer in time"
                raise Problem(
                    f"{child.name} {ended} while it was starting.",
                    why=last_words(log.read_text(encoding="utf-8", errors="replace"), lines=12),
                    then=f"Its whole log is {log}.",
                )
            time.sleep(0.03)

    def _keep_alive(self) -> None:
        while not self._stopping.wait(0.1):
            now = time.monotonic()
            for running in self._running:
                self._look_after(running, now)

    def _look_after(self, running: _Running, now: float) -> None:
        if running.due is not None:
            if now >= running.due:
                self._start_again(running, now)
        elif (code := running.process.poll()) is not None:
            self._tell_reaper("-", running.process.pid)
            _signal_group(running.process.pid, signal.SIGKILL)  # what it forked goes with it
            lived = timedelta(seconds=now - running.since)
            self._put_off(running, now, f"ended (code {code})", lived=lived)
        else:
            _keep_short(self._log_of(running.child))

    def _start_again(self, running: _Running, now: float) -> None:
        try:
            running.process = self._spawn(running.child)
        except OSError as error:
            self._put_off(running, now, f"could not be started ({error})", lived=timedelta(0))
        else:
            running.since, running.due = now, None

    def _put_off(self, running: _Running, now: float, why: str, *, lived: timedelta) -> None:
        """Another failure: the next start waits longer, and the person is told."""
        running.failures = self._back_off.count(running.failures, lived)
        delay = self._back_off.delay(running.failures).total_seconds()
        running.due = now + delay
        name, log = running.child.name, self._log_of(running.child)
        self._say.line(f"{name} {why}; starting it again in {delay:g} s ({log})")

    def _log_of(self, child: Child) -> Path:
        return self._logs / f"{child.name}.log"

    def _members(self) -> set[processes.Process]:
        leaders = [r.process.pid for r in self._running if r.process.poll() is None]
        return processes.members(processes.running(), leaders=leaders, mark=self._mark)

    def _tell_reaper(self, change: str, pid: int) -> None:
        if self._reaper.stdin:
            with contextlib.suppress(OSError):
                self._reaper.stdin.write(f"{change}{pid}\n")
                self._reaper.stdin.flush()

    def _close_reaper(self) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if self._reaper.stdin:
                self._reaper.stdin.close()
            self._reaper.wait(timeout=5)


def _start_reaper(root: Path, mark: str, lock: TextIO | None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wedsync_cli.reaper", mark],
        cwd=root,
        env={k: v for k, v in os.environ.items() if k != children.STACK},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(lock.fileno(),) if lock else (),
        text=True,
    )


def _is_ready(ready: children.Ready, log: Path) -> bool:
    match ready:
        case children.PortOpen(port):
            return accepts(port)
        case children.LogSays(text):
            return text.encode() in log.read_bytes()


def _keep_short(log: Path) -> None:
    with contextlib.suppress(OSError):  # somebody may have removed it
        if log.stat().st_size > _LOG_LIMIT:
            os.truncate(log, 0)


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((children.HOST, port), timeout=1):
        return True
    return False


def _stop_group(group: list[_Running], patience: timedelta, hurry: threading.Event) -> None:
    _signal_all(group, signal.SIGTERM)
    deadline = time.monotonic() + patience.total_seconds()
    while any(running.process.poll() is None for running in group):
        if hurry.is_set() or time.monotonic() >= deadline:
            _signal_all(group, signal.SIGKILL)
            for running in group:
                running.process.wait()
            return
        hurry.wait(0.03)


def _signal_all(group: Iterable[_Running], number: signal.Signals) -> None:
    for running in group:
        if running.process.poll() is None:
            _signal_group(running.process.pid, number)


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


@contextlib.contextmanager
def ended(supervisor: Supervisor, signals: Signals, say: Say) -> Iterator[None]:
    """Its children are gone when the block is left, whichever way."""
    try:
        yield
    finally:
        signals.disarm()
        with say.step("Stopping"):
            killed = supervisor.stop(hurry=signals.hurry)
        if killed:
            say.line(f"{killed} processes had to be ended the hard way.")
        count = supervisor.left()
        say.line(f"{count} process{'' if count == 1 else 'es'} left.")
