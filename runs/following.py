"""One tool at its work: it gets ready, is let go, is read to its last sample, and ends in time."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import clock
from runs import process, words
from runs.host.identity import Identity
from runs.outcome import Stop
from runs.preparing import Ready
from runs.redaction import Redactor
from runs.samples.aggregator import Aggregator
from runs.tools import Command, Job, Tool, ToolProblem

shutting_down = threading.Event()
READY_S, SILENT_S, DRAIN_S = 60.0, 15.0, 5.0
# A script as long as declared still has to end: well within the stop time that was judged with it.
ENDING_S = 5.0
# Whoever reads may be long at what a script told; then the guard beside it ends the tool.
GUARD_S, LATE_S = 0.25, 1.0
TICK_S = 0.02  # also what an update may wait behind the last read
GATHERED, GATHER_S = 256 * 1024, 0.005
SLACK_S, LONGEST_WAIT_S = 60, 3600
_LATE = (
    "ask for fewer users, or let the script prepare less; behind a fence no site answers it yet."
)
_MUTE = "a part of the script blocks, or there are more users than this machine can carry."
_IDLE = " No request was answered in all that time: look for a part that never ends."


def begin(tool: Tool, ready: Ready, who: Identity, workdir: Path) -> process.ToolProcess:
    """Start the tool of a prepared job. It makes no request until it is told to go."""
    return process.ToolProcess(
        partial(_command, tool, ready.job),
        who=who,
        cwd=workdir,
        fence=ready.fence,
        redactor=ready.redactor,
    )


class Follower:
    """Reads what one tool writes. `why_stop` is asked at every tick and must answer at once.

    It is asked by a thread of its own as well: no number of samples stands between a no and TERM.
    """

    def __init__(
        self,
        tool: Tool,
        job: Job,
        child: process.ToolProcess,
        why_stop: Callable[[], Stop | None],
    ) -> None:
        self.stop: Stop | None = None
        self.aggregator = Aggregator(
            shift_s=int(clock.offset().total_seconds()), within=_seconds_of(job)
        )
        self.read_at = clock.real_now()
        self._is_told, self._is_unproven = True, False
        self._tool, self._job, self._child = tool, job, child
        self._why_stop = or_shut_down(why_stop)
        self._reader, self._redactor = tool.reader(job), Redactor(job.secrets.values())
        self._heard_at = time.monotonic()
        self._deadline = float("inf")
        self._halting, self._over = threading.Lock(), threading.Event()
        self._guard = threading.Thread(target=self._watch_over, name="guard of a tool", daemon=True)

    def get_ready(self) -> bool:
        """Wait until the tool could go. False where it ended or was ended before."""
        self._guard.start()
        pause, patience = threading.Event(), time.monotonic() + READY_S
        while self._child.exit_code is None:
            self.take_in()
            if self._tool.is_ready(self._job, self._reader):
                return True
            if time.monotonic() > patience:
                late = f"{self._tool.name} was not ready within {READY_S:g} s: {_LATE}"
                return self.halt(Stop(late, "errored"))
            if stop := self._why_stop():
                return self.halt(stop)
            pause.wait(TICK_S)
        return False

    def wait_for(self, is_there: Callable[[], bool], *, every_s: float = 0.0) -> bool:
        """Hold a ready tool until this is true. False where it ended or was ended before.

        It is asked at every tick, or only so often: a database has others to answer too.
        """
        pause, ask_at = threading.Event(), time.monotonic()
        while self._child.exit_code is None:
            if (now := time.monotonic()) >= ask_at:
                ask_at = now + every_s
                if is_there():
                    return True
            if stop := self._why_stop():
                return self.halt(stop)
            self.take_in()
            pause.wait(TICK_S)
        return False

    def go(self) -> bool:
        """False where the guard ended it before: the reason for that counts."""
        self._child.let_out()
        try:
            self._tool.go(self._job, self._child.go)
        except ToolProblem:
            if self.stop is None:
                raise
            return False
        self._heard_at = time.monotonic()
        self._deadline = self._heard_at + self._job.duration.total_seconds() + ENDING_S
        return True

    def steps(self) -> Iterator[None]:
        """One after each read and at least one every tick, until the tool or a reason ends it."""
        for chunk in self._chunks():
            self._ingest(chunk)
            yield
            if stop := self._reason_to_stop():
                self.halt(stop)
                return

    def told(self) -> None:
        """What was read is published: `read_at` is that of the first bytes that come now."""
        self._is_told = True

    def halt(self, stop: Stop) -> bool:
        """Always False: the run goes no further. No database stands between a reason and TERM."""
        with self._halting:  # one TERM: a second would cost k6 its summary
            if self.stop is None:
                self.stop = stop
                self._child.terminate()
        return False

    def drain(self) -> None:
        """Keep what the tool still says while it ends; a stopped one has what TERM gives it."""
        patience = process.TERM_GRACE_S if self.stop else DRAIN_S
        limit, pause = time.monotonic() + patience, threading.Event()
        while time.monotonic() < limit:
            if not self.take_in():
                if self._child.exit_code is not None:
                    return
                pause.wait(0.02)

    def end(self) -> int | None:
        """Prove that nothing is left running: how many processes survived, which should be 0.

        None where nobody knows.
        """
        self._over.set()
        if self._guard.ident is not None:
            self._guard.join()
        left = self._child.end()
        self._is_unproven = left is None
        if self.stop is None and self._child.is_forsaken:
            self.stop = stood_still()
        limit = time.monotonic() + DRAIN_S
        while time.monotonic() < limit and self.take_in():
            pass
        return left

    def take_in(self) -> bytes | None:
        chunk = self._child.read()
        self._ingest(chunk)
        return chunk

    @property
    def log(self) -> str:
        """What the tool said, and what is to be said of its samples."""
        counts = {
            "lines of the tool made no sense and were left out": self._reader.garbage,
            "requests are missing: the tool could not hand them over in time": self._reader.dropped,
        }
        remarks = "".join(f"\n{number} {what}" for what, number in counts.items() if number)
        if self._is_unproven:
            remarks += f"\n{process.unproven()}"
        return self._child.tail + remarks

    def _chunks(self) -> Iterator[bytes | None]:
        """What the tool writes, as it comes; None at least every tick, the end when it is over.

        k6 writes line by line: a moment's patience after a small piece saves a wake-up for each.
        """
        patience = threading.Event()
        while True:
            chunk = self._child.read()
            if chunk == b"" or (chunk is None and self._child.exit_code is not None):
                return
            yield chunk
            if chunk is None:
                select.select([self._child.samples], [], [], TICK_S)
            if chunk is None or len(chunk) < GATHERED:
                patience.wait(GATHER_S)

    def _ingest(self, chunk: bytes | None) -> None:
        if chunk:
            self._heard_at = time.monotonic()
            if self._is_told:
                self._is_told, self.read_at = False, clock.real_now()
            self.aggregator.add(self._redactor.batch(self._reader.feed(chunk)))

    def _watch_over(self) -> None:
        """Let the tool live while nothing speaks against it, and end it, by force if need be, where
        whoever reads it is late to do so."""
        while not self._over.wait(GUARD_S):
            is_late = time.monotonic() > self._deadline
            stop = self._why_stop() or (hard_stop(self._job.duration) if is_late else None)
            if stop is None:
                self._child.let_live()
                continue
            if not self._over.wait(LATE_S):
                self.halt(stop)
                if not self._over.wait(process.TERM_GRACE_S + LATE_S):
                    self._child.kill()  # nothing, where it has ended
            return

    def _reason_to_stop(self) -> Stop | None:
        now = time.monotonic()
        if stop := self._why_stop():
            return stop
        if now > self._deadline:
            return hard_stop(self._job.duration, self.aggregator)
        if now - self._heard_at > SILENT_S:
            mute = f"{self._tool.name} said nothing for {SILENT_S:g} s: {_MUTE}"
            return Stop(mute, "errored")
        return None


def _seconds_of(job: Job) -> range:
    """All that may be one of this run, however long it waits until it may go."""
    now = int(clock.now().timestamp())
    return range(now - SLACK_S, now + int(job.duration.total_seconds()) + LONGEST_WAIT_S)


def hard_stop(declared: timedelta, seen: Aggregator | None = None) -> Stop:
    idle = "" if seen is None or seen.totals().requests else _IDLE
    lasted = words.span(declared)
    return Stop(f"It reached its declared duration of {lasted}, the hard stop.{idle}")


def stood_still() -> Stop:
    """Where its warden had to end the tool, whose exit code says only that it was killed."""
    return Stop(
        f"The worker on {socket.gethostname()} stood still, so nobody asked the wedding calendar "
        "any more, and the tool was ended. Look what held it there (somebody who stopped it, a "
        "machine without memory, a disk that does not answer?), then start again.",
        "errored",
    )


def or_shut_down(why_stop: Callable[[], Stop | None]) -> Callable[[], Stop | None]:
    return lambda: why_stop() or shut_down()


def shut_down() -> Stop | None:
    if shutting_down.is_set():
        return Stop("The worker was shut down while the test ran.")
    return None


def _command(tool: Tool, job: Job, samples: int, go: int) -> Command:
    return tool.command(job, samples_fd=samples, go_fd=go)
