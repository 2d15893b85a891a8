"""A program with all that it starts, from its start to its proven end. See launcher.py."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from runs import living
from runs.identity import Identity
from runs.launcher import NOTHING_LEFT

NOWHERE, A_PIPE = subprocess.DEVNULL, subprocess.PIPE
LARGEST_FILE = 256 << 20  # pipes are not files: samples are not limited by it
LEAST_MEMORY = 4 << 30  # Node reserves two before its first line
_MARKS = ("WEDSYNC_STACK", "WEDSYNC_HOME")
_LAUNCHER = Path(__file__).with_name("launcher.py")


def memory_limit() -> int:
    """Bytes for each process of a tool: WEDSYNC_TOOL_MEMORY_MIB, else three quarters of all."""
    if configured := os.environ.get("WEDSYNC_TOOL_MEMORY_MIB"):
        return int(configured) << 20
    return max(LEAST_MEMORY, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4)


class Child:
    """`group` is the number of its warden, from which whatever the program starts descends, and
    `mark` is what the environment of all that carries. It ends with the thread that made it.
    `is_warded` is False for a program of ours that starts nothing: it has no warden.
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
    ) -> None:
        if fence and fence["listen"]:
            pass_fds = (*pass_fds, fence["control"])
        self._proof, theirs = os.pipe()
        self._is_proven = not is_warded
        terms = {
            "parent": os.getpid(),
            "uid": who.uid,
            "gid": who.gid,
            "memory": memory_limit(),
            "file": LARGEST_FILE,
            "fence": fence,
            "fds": pass_fds,
            "proof": theirs if is_warded else None,
        }
        self.mark = uuid.uuid4().hex
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(terms), *argv],
                env=dict(env) | _marks() | {living.MARK: self.mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(*pass_fds, theirs),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._proof)
            raise
        finally:
            os.close(theirs)
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

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None where it takes longer than this."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def terminate(self) -> None:
        """Ask it to end, and wait for nothing."""
        self._process.send_signal(signal.SIGTERM)

    def end(self, grace_s: float = 0.0) -> int | None:
        """After its grace end whatever is left; how many processes survived even that.

        None where nobody knows, since its warden was ended by another.
        """
        if grace_s > 0:
            self.wait(grace_s)
        # While nobody has waited for it, its number is nobody else's.
        left = living.end(self.group if self.exit_code is None else None, self.mark)
        if self.wait(1.0) is not None and self._proof >= 0:
            self._is_proven = self._is_proven or os.read(self._proof, 1) == NOTHING_LEFT
            os.close(self._proof)
            self._proof = -1
        return left if left or self._is_proven else None


def _marks() -> dict[str, str]:
    """The stack's own mark, by which its reaper finds a tool whose worker is gone."""
    return {name: value for name in _MARKS if (value := os.environ.get(name))}
