"""A load tool at work, and the short commands before it: what they say, and their proven end."""

import contextlib
import fcntl
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Any

from runs.fencing import doors
from runs.fencing.fence import Fence
from runs.host import living
from runs.host.child import A_PIPE, Child
from runs.host.identity import Identity
from runs.outcome import Stop
from runs.redaction import Redactor
from runs.tools import Command, Finished, ToolProblem, placing

TERM_GRACE_S = 2.0
TAIL_BYTES = 16_384
LONGEST_ANSWER = 4 << 20
PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031
LOOK_S = 0.05


class Survivors(ToolProblem):
    """So many processes of a short command are still there; None where nobody knows."""

    def __init__(self, program: str, left: int | None) -> None:
        held = (
            f"{left} processes that {program} started did not end, though they were killed. Look "
            f"on {socket.gethostname()} what holds them (a disk that does not answer?) first."
        )
        super().__init__(held if left else unproven(), code="survivors")
        self.left = left


def unproven() -> str:
    """What to say where a tool's end is not proven."""
    return (
        "The process that watches over what the tool starts was killed, by the script or for want "
        f"of memory, so nobody knows what is left running: look on {socket.gethostname()} for "
        "processes of the tool's user that descend from no worker. A script cannot do that where "
        "workers run as root and their tools do not."
    )


class Halted(Exception):
    """A reason to stop ended a short command before it had ended itself."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.reason)
        self.stop = stop


def run(
    argv: list[str],
    env: Mapping[str, str],
    timeout_s: float,
    *,
    who: Identity,
    cwd: Path,
    has_network: bool = True,
    why_stop: Callable[[], Stop | None] = lambda: None,
) -> Finished:
    """Run a short command to its end. Raises ToolProblem when it outlives its time.

    `why_stop` is asked all the while and must answer at once; a reason ends the command and raises
    Halted. Processes that nothing ends raise Survivors.
    """
    terms = None if has_network else doors.SHUT
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = Child(argv, env, who=who, cwd=cwd, stdout=out, stderr=err, fence=terms)
        program = Path(argv[0]).name
        try:
            code, stop = _wait(child, timeout_s, why_stop)
        finally:
            left = child.end()
        if left != 0:
            raise Survivors(program, left)
        if stop:
            raise Halted(stop)
        if code is None:
            raise ToolProblem(
                f"{program} did not answer within {timeout_s:g} s. If it was loading the script: "
                "one that loops there does this; its top level must end by itself.",
                code="script_hangs",
            )
        return Finished(code, _text(out), _text(err))


def tail_of(*said: str) -> str:
    """One after the other, as much of the end as is kept for people."""
    return "\n".join(filter(None, said))[-TAIL_BYTES:]


def _wait(
    child: Child, timeout_s: float, why_stop: Callable[[], Stop | None]
) -> tuple[int | None, Stop | None]:
    """Its exit code, or why it was not waited for, or neither after its time."""
    ends = time.monotonic() + timeout_s
    while (patience := ends - time.monotonic()) > 0:
        if (code := child.wait(min(LOOK_S, patience))) is not None:
            return code, None
        if stop := why_stop():
            return None, stop
    return None, None


class ToolProcess:
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
        self._redactor = redactor or Redactor(())
        (self.samples, samples_w), (go_r, self.go), *more = _pipes(4)
        (life_r, self._life), (out_r, self._out) = more
        try:
            for end in (self.samples, life_r, self._life):
                os.set_blocking(end, False)
            _widen(self.samples)
            if who.uid is not None and who.gid is not None:
                os.fchown(samples_w, who.uid, who.gid)
            words = command(samples_w, go_r)
            with doors.made(fence, cwd, out_r) as (self._relay, terms):
                self._child = Child(
                    words.argv,
                    words.env,
                    who=who,
                    cwd=cwd,
                    stderr=A_PIPE,
                    pass_fds=(samples_w, go_r),
                    fence=terms,
                    life=life_r,
                )
        except BaseException:
            for end in (self.samples, self.go, self._life, self._out):
                os.close(end)
            raise
        finally:
            for end in (samples_w, go_r, life_r, out_r):
                os.close(end)
        self.group = self._child.group
        self.born = living.born_at(self.group)
        self._tail = b""
        self._asked_at: float | None = None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def facts(self) -> dict[str, Any]:
        """By which others find what it started, once this process is gone."""
        return {
            "process_group": self.group,
            "process_born": self.born,
            "process_mark": self._child.mark,
        }

    def read(self, size: int = PIPE_BYTES) -> bytes | None:
        """What the tool wrote; None when nothing is there now, b"" when it closed its end."""
        try:
            return os.read(self.samples, size)
        except BlockingIOError:
            return None

    @property
    def exit_code(self) -> int | None:
        return self._child.exit_code

    @property
    def is_forsaken(self) -> bool:
        """After its end: it was ended, since nobody said any more that it may live."""
        return self._child.is_forsaken

    @property
    def tail(self) -> str:
        """Without the run's secrets, and without our names for where its script lies."""
        return placing.plain(self._redactor.text(self._tail.decode("utf-8", "replace")))

    def let_out(self) -> None:
        """From a tool that is ready to one that may go: its doors open, and its pipe of samples is
        opened by nobody any more. The script of k6 may write files of any name, its own process's
        descriptors among them (/dev/fd), and no other way leads it there.
        """
        os.fchmod(self.samples, 0)
        with contextlib.suppress(BrokenPipeError):
            os.write(self._out, b"g")

    def let_live(self) -> None:
        """To be said again and again, once it was said: a tool of which nobody says it ends."""
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._life, b"l")

    def terminate(self) -> None:
        """Ask it to end; `end` counts its two seconds from here."""
        self._asked_at = time.monotonic()
        self._child.terminate()

    def kill(self) -> None:
        """End all of it at once, and wait for nothing: `end` proves it. For any thread."""
        self._child.kill()

    def end(self) -> int | None:
        """End whatever is left: how many processes survived. 0 is the proof, None is no proof."""
        if self._asked_at is None:
            self.terminate()
        left = self._child.end((self._asked_at or 0) + TERM_GRACE_S - time.monotonic())
        relays = self._relay.end() if self._relay is not None else 0
        self._listener.join(1.0)
        return left + (relays or 0) if left is not None else None

    def close(self) -> None:
        """End it, whatever happened before, and let the pipes go."""
        self.end()
        for descriptor in (self.samples, self.go, self._life, self._out):
            os.close(descriptor)

    def _listen(self) -> None:
        with self._child.stderr as stderr:
            while chunk := os.read(stderr.fileno(), 4096):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]


def _pipes(count: int) -> list[tuple[int, int]]:
    """So many, or none where there is no room for all: a worker that is full fills no further."""
    made: list[tuple[int, int]] = []
    try:
        for _ in range(count):
            made.append(os.pipe())
    except OSError:
        for end in chain.from_iterable(made):
            os.close(end)
        raise
    return made


def _widen(pipe: int) -> None:
    """A longer pipe means fewer wake-ups at full load; refusal only costs speed."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, F_SETPIPE_SZ, PIPE_BYTES)


def _text(file: IO[bytes]) -> str:
    """Its end, where it is long: what a script prints while it is loaded comes before that."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_ANSWER))
    return file.read(LONGEST_ANSWER).decode("utf-8", "replace")
