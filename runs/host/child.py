"""A program with all that it starts, from its start to its proven end. See launcher.py."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from runs.host import living
from runs.host.identity import Identity
from runs.host.launcher import END_NOW, FORSAKEN, NOTHING_LEFT
from runs.tools import ToolProblem

NOWHERE, A_PIPE = subprocess.DEVNULL, subprocess.PIPE
LARGEST_FILE = 256 << 20  # pipes are not files: samples are not limited by it
LEAST_MEMORY = 4 << 30  # Node reserves two before its first line
_MARKS = ("WEDSYNC_STACK", "WEDSYNC_HOME")
_LAUNCHER = Path(__file__).with_name("launcher.py")


def memory_limit() -> int:
    """Bytes for each process of a tool: WEDSYNC_TOOL_MEMORY_MIB, else three quarters of all.

    Raises ToolProblem ("misconfigured").
    """
    if configured := os.environ.get("WEDSYNC_TOOL_MEMORY_MIB"):
        if not re.fullmatch(r"[1-9]\d{0,8}", configured):
            sentence = (
                f"WEDSYNC_TOOL_MEMORY_MIB is “{configured}” on this worker; it is a number of "
                "MiB, like 4096. Correct it and start the worker again."
            )
            raise ToolProblem(sentence, code="misconfigured")
        return int(configured) << 20
    return max(LEAST_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4)


class Child:
    """`group` is the number of its warden, from which whatever the program starts descends, and
    `mark` is what the environment of all that carries. It ends with the thread that made it.
    `is_warded` is False for a program of ours that starts nothing: it has no warden. `life` is the
    reading end of a pipe in which the warden wants a word now and then, from the first one on.
    """

    def __init__(
        self,
        argv: list[str],
        env: Mapping[str, str],
        *,
        who: Identity,
        cwd: Path,
        stdout: IO[bytes] | int = NOWHERE,
        stderr: IO[bytes] | int = NOWHERE,
        pass_fds: tuple[int, ...] = (),
        fence: dict[str, Any] | None = None,
        is_warded: bool = True,
        life: int | None = None,
    ) -> None:
        if fence and fence["listen"]:
            pass_fds = (*pass_fds, fence["control"])
        terms = {
            "parent": os.getpid(),
            "uid": who.uid,
            "gid": who.gid,
            "memory": memory_limit(),
            "file": LARGEST_FILE,
            "fence": fence,
            "fds": pass_fds,
            "life": life,
        }
        self.mark = uuid.uuid4().hex
        self._proof = Proof() if is_warded else None
        with self._proof.inherited() if self._proof else contextlib.nullcontext() as proof:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_LAUNCHER)),
                    *(json.dumps(terms | {"proof": proof}), *argv),
                ],
                env=dict(env) | _marks() | {living.MARK: self.mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(*pass_fds, *(one for one in (proof, life) if one is not None)),
                start_new_session=True,
            )
        self.group = self._process.pid

    @property
    def stderr(self) -> IO[bytes]:
        """Of one that was started with A_PIPE."""
        assert self._process.stderr is not None
        return self._process.stderr

    @property
    def exit_code(self) -> int | None:
        """As of subprocess: negative where a signal ended it. It is there once nothing is left."""
        return self._process.poll()

    @property
    def is_forsaken(self) -> bool:
        """After its end: its warden ended it, since the worker let it hear nothing any more."""
        return self._proof is not None and self._proof.tells_of_silence

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None where it takes longer than this."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def terminate(self) -> None:
        """Ask it to end, and wait for nothing."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Let its warden end all of it now, and wait for nothing."""
        self._process.send_signal(END_NOW)

    def end(self, grace_s: float = 0.0) -> int | None:
        """After its grace end whatever is left; how many processes survived even that.

        None where nobody knows, since its warden was ended by another. For one thread.
        """
        if grace_s > 0:
            self.wait(grace_s)
        # While nobody has waited for it, its number is nobody else's.
        left = living.end(self.group if self.exit_code is None else None, self.mark)
        self.wait(1.0)
        is_proven = self._proof is None or self._proof.is_given()
        return left if left or is_proven else None


class Proof:
    """What a warden says of itself, in a pipe of which its tool holds no end."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.pipe()
        os.set_blocking(self._ours, False)
        self._said: bytes | None = None

    @contextlib.contextmanager
    def inherited(self) -> Iterator[int]:
        """The end that the warden is started with; ours of it is closed afterwards."""
        try:
            yield self._theirs
        except BaseException:
            os.close(self._ours)
            raise
        finally:
            os.close(self._theirs)

    def is_given(self) -> bool:
        """Of a warden that is over: it said that nothing is left, or it never began."""
        if self._said is None:
            self._said = b""
            with contextlib.suppress(BlockingIOError):
                self._said = os.read(self._ours, 3)
            os.close(self._ours)
        return not self._said or self._said.endswith(NOTHING_LEFT)

    @property
    def tells_of_silence(self) -> bool:
        return FORSAKEN in (self._said or b"")


def _marks() -> dict[str, str]:
    """The stack's own mark, by which its reaper finds a tool whose worker is gone."""
    return {name: value for name in _MARKS if (value := os.environ.get(name))}
