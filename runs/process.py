"""The only place of the apps that starts processes: own session, clean environment, proven end."""

import contextlib
import errno
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from runs import living
from runs.fencing.fence import NOTHING, Fence
from runs.redaction import Redactor
from runs.tools import Command, Finished, ToolProblem

TERM_GRACE_S = 2.0
TAIL_BYTES = 16_384
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031
LARGEST_FILE = 256 << 20  # pipes are not files: samples are not limited by it
LEAST_MEMORY = 4 << 30  # Node reserves two before its first line
_MARKS = ("WEDSYNC_STACK", "WEDSYNC_HOME")
_LAUNCHER = Path(__file__).with_name("launcher.py")
_RELAY = Path(__file__).parent / "fencing" / "relay.py"


@dataclass(frozen=True)
class Identity:
    """Whom the tool runs as; `uid` None means as ourselves, and `why` says so where we are root."""

    uid: int | None = None
    gid: int | None = None
    why: str = ""


_fenced: set[Identity] = set()


def identity(executable: Path) -> Identity:
    """The unprivileged user where we are root and that user can read what the tool needs."""
    if os.geteuid() != 0:
        return Identity()
    with executable.open("rb") as file:
        first = file.readline(512)
    if first.startswith(b"#!"):
        interpreter = Path(os.fsdecode(first[2:].split()[0]))
        for path in (executable, interpreter.resolve()):
            if not _open_to_all(path):
                return Identity(why=f"runs as root: {path.name} is not open to the user nobody")
    nobody = pwd.getpwnam("nobody")
    return Identity(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.parents) and bool(
        path.stat().st_mode & 0o004
    )


def disk_problem(error: OSError) -> ToolProblem:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return ToolProblem(
            "The disk of this worker is full, so the script's work directory cannot be written. "
            "Make room there, then start the run again.",
            code="disk_full",
        )
    return ToolProblem(
        f"The script's work directory cannot be written: {error.strerror}. "
        "Look at the worker's disk, then start the run again.",
        code="disk_unwritable",
    )


@contextlib.contextmanager
def work_directory(who: Identity) -> Iterator[Path]:
    """An empty folder that belongs to the tool's user and is gone afterwards."""
    try:
        path = Path(tempfile.mkdtemp(prefix="wedsync-run-"))
    except OSError as error:
        raise disk_problem(error) from error
    try:
        if who.uid is not None and who.gid is not None:
            os.chown(path, who.uid, who.gid)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def memory_limit() -> int:
    """Bytes for each process of a tool: WEDSYNC_TOOL_MEMORY_MIB, else three quarters of all."""
    if configured := os.environ.get("WEDSYNC_TOOL_MEMORY_MIB"):
        return int(configured) << 20
    return max(LEAST_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4)


def can_fence(who: Identity) -> bool:
    """Whether this kernel lets us give a tool a network of its own; a "no" is asked again."""
    if who not in _fenced:
        with work_directory(who) as cwd:
            if run(["/bin/true"], {}, 5.0, who=who, cwd=cwd, fence=NOTHING).code:
                return False
        _fenced.add(who)
    return True


def run(
    argv: list[str],
    env: Mapping[str, str],
    timeout_s: float,
    *,
    who: Identity,
    cwd: Path,
    fence: Fence | None = None,
) -> Finished:
    """Run a short command to its end. Raises ToolProblem when it outlives its time.

    No door of a fence is opened: behind one, the command has no network at all.
    """
    mark = uuid.uuid4().hex
    terms = None if fence is None else {"listen": [], "hosts": "", "control": -1}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = _spawn(argv, env, who=who, cwd=cwd, stdout=out, stderr=err, mark=mark, fence=terms)
        try:
            code = child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ToolProblem(
                f"{Path(argv[0]).name} did not answer within {timeout_s:g} s. A script that loops "
                "while it is loaded does this; its top level must end by itself.",
                code="script_hangs",
            ) from None
        finally:
            _end_group(child, 0, mark)
        return Finished(code, _text(out), _text(err))


class Tool:
    """A load tool at work: a pipe of its samples, a pipe for our "go", a tail of what it says.

    Behind a fence it has a network of its own, and a relay beside it that ends with it.
    """

    def __init__(
        self,
        command: Callable[[int, int], Command],
        *,
        who: Identity,
        cwd: Path,
        fence: Fence | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self._mark = uuid.uuid4().hex
        self._redactor = redactor or Redactor(())
        self.samples, samples_w = os.pipe()
        go_r, self.go = os.pipe()
        try:
            os.set_blocking(self.samples, False)
            _widen(self.samples)
            if who.uid is not None and who.gid is not None:
                os.fchown(samples_w, who.uid, who.gid)
            words = command(samples_w, go_r)
            with _doors(fence, who=who, cwd=cwd, mark=self._mark) as (self._relay, terms):
                self._child = _spawn(
                    words.argv,
                    words.env,
                    who=who,
                    cwd=cwd,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    mark=self._mark,
                    pass_fds=(samples_w, go_r),
                    fence=terms,
                )
        finally:
            os.close(samples_w)
            os.close(go_r)
        self.group = self._child.pid
        self.born = living.born(self.group)
        self._tail = b""
        self._asked_at: float | None = None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def read(self, size: int = PIPE_BYTES) -> bytes | None:
        """What the tool wrote; None when nothing is there now, b"" when it closed its end."""
        try:
            return os.read(self.samples, size)
        except BlockingIOError:
            return None

    @property
    def exit_code(self) -> int | None:
        return self._child.poll()

    @property
    def tail(self) -> str:
        """Without the run's secrets."""
        return self._redactor.text(self._tail.decode("utf-8", "replace"))

    def terminate(self) -> None:
        """Ask it to end; `end` counts its two seconds from here."""
        self._asked_at = time.monotonic()
        living.signal_group(self.group, signal.SIGTERM)

    def end(self) -> int:
        """End whatever is left of the group and say how many processes survived: 0 is the proof."""
        if self._asked_at is None:
            self.terminate()
        grace_s = (self._asked_at or 0) + TERM_GRACE_S - time.monotonic()
        left = _end_group(self._child, grace_s, self._mark)
        if self._relay is not None:  # it carries the run's mark, so it is gone by now
            self._relay.wait(1.0)
        self._listener.join(1.0)
        return left

    def close(self) -> None:
        """End it, whatever happened before, and let the pipes go."""
        self.end()
        for descriptor in (self.samples, self.go):
            os.close(descriptor)

    def _listen(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as stderr:
            while chunk := os.read(stderr.fileno(), 4096):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]


@contextlib.contextmanager
def _doors(
    fence: Fence | None, *, who: Identity, cwd: Path, mark: str
) -> Iterator[tuple[subprocess.Popen[bytes] | None, dict[str, Any] | None]]:
    """The relay of a fence, and the terms on which the tool's launcher makes its doors."""
    if fence is None:
        yield None, None
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        to = [door.outside for door in fence.doors]
        terms = json.dumps({"control": ours.fileno(), "to": to})
        relay = _spawn(
            [sys.executable, "-I", "-S", str(_RELAY), terms],
            {},
            who=Identity(),
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            mark=mark,
            pass_fds=(ours.fileno(),),
        )
        listen = [door.inside for door in fence.doors]
        yield relay, {"listen": listen, "hosts": fence.hosts_file(), "control": theirs.fileno()}


def _spawn(
    argv: list[str],
    env: Mapping[str, str],
    *,
    who: Identity,
    cwd: Path,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
    mark: str,
    pass_fds: tuple[int, ...] = (),
    fence: dict[str, Any] | None = None,
) -> subprocess.Popen[bytes]:
    terms = json.dumps(
        {
            "parent": os.getpid(),
            "uid": who.uid,
            "gid": who.gid,
            "memory": memory_limit(),
            "file": LARGEST_FILE,
            "fence": fence,
        }
    )
    if fence and fence["listen"]:
        pass_fds = (*pass_fds, fence["control"])
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LAUNCHER), terms, *argv],
        env=dict(env) | _marks() | {living.MARK: mark},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        pass_fds=pass_fds,
        start_new_session=True,
    )


def _marks() -> dict[str, str]:
    """The stack's own mark, by which its reaper finds a tool whose worker is gone."""
    return {name: value for name in _MARKS if (value := os.environ.get(name))}


def _end_group(child: subprocess.Popen[bytes], grace_s: float, mark: str) -> int:
    """Wait for what is left of its grace, KILL, and count the processes that survived even that."""
    if grace_s > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace_s)
    if living.members(child.pid):
        living.signal_group(child.pid, signal.SIGKILL)
    for stray in living.strays(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(stray, signal.SIGKILL)
    left = living.wait_until_gone(lambda: {*living.members(child.pid), *living.strays(mark)}, 2.0)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(1.0)
    return left


def _widen(pipe: int) -> None:
    """A longer pipe means fewer wake-ups at full load; refusal only costs speed."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, F_SETPIPE_SZ, PIPE_BYTES)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(4 << 20).decode("utf-8", "replace")
