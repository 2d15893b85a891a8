"""One tool from its start to its last sample: read, tell, and stop when there is a reason to."""

import select
import threading
import time
from collections.abc import Iterator
from typing import Any

import clock
from calendar_guard import services as calendar_guard
from runs import fanout, process, report, words
from runs.lease import Lease
from runs.models import Run, State
from runs.outcome import Stop
from runs.samples import Aggregator, Second
from runs.tools import Job, Tool

shutting_down = threading.Event()
READY_S, SILENT_S, DRAIN_S = 60.0, 15.0, 5.0
# A script as long as declared still has to end: well within the stop time that was judged with it.
ENDING_S = 5.0
TICK_S, PUBLISH_S, REPORT_S = 0.05, 0.025, 2.0
GATHERED, GATHER_S = 256 * 1024, 0.005


class Watch:
    """Follows one run. Nothing in its loop waits on a listener or on the calendar."""

    def __init__(self, run: Run, tool: Tool, job: Job, child: process.Tool, lease: Lease) -> None:
        self.stop: Stop | None = None
        self.aggregator = Aggregator(shift_s=int(clock.offset().total_seconds()))
        self._run, self._tool, self._job, self._child, self._lease = run, tool, job, child, lease
        self._reader = tool.reader()
        self._tags = calendar_guard.context(now=clock.now()).as_tags()
        self._notes = run.log_tail
        self._seq = 0
        self._heard_at = self._published_at = self._reported_at = time.monotonic()
        self._read_at = clock.real_now()
        self._deadline = float("inf")
        topic = str(run.pk)
        self._stream = fanout.Listener("stream", fanout.stream_to(topic), keep=256)
        self._history = fanout.Listener("history", fanout.keep_in(run.pk), keep=86_400)

    def follow(self) -> None:
        Run.objects.filter(pk=self._run.pk).update(
            process_group=self._child.group, process_born=self._child.born
        )
        if self._become_ready() and self._launch():
            for chunk in self._chunks():
                self._ingest(chunk)
                self._tell()
                if stop := self._reason_to_stop():
                    self._halt(stop)
                    break
        self._drain()

    def end(self) -> None:
        """Prove that nothing is left running, and deliver what is queued."""
        run, child = self._run, self._child
        run.processes_left = child.end()
        run.exit_code = child.exit_code
        limit = time.monotonic() + DRAIN_S
        while (chunk := child.read()) and time.monotonic() < limit:
            self._ingest(chunk)
        self._tell(everything=True)
        self._stream.close(1.0)
        self._history.close(10.0)
        for name, value in self._report().items():
            setattr(run, name, value)

    def _become_ready(self) -> bool:
        pause, patience = threading.Event(), time.monotonic() + READY_S
        while self._child.exit_code is None:
            self._ingest(self._child.read())
            if self._tool.is_ready(self._job, self._reader):
                return Run.objects.move(
                    self._run.pk, of=[State.PREPARING], to=State.READY
                ) or self._halt(self._lease.stop() or Stop("The run was stopped before it began."))
            if time.monotonic() > patience:
                return self._halt(
                    Stop(f"{self._tool.name} was not ready within {READY_S:g} s.", "errored")
                )
            if stop := self._lease.stop() or self._shut_down():
                return self._halt(stop)
            pause.wait(TICK_S)
        return False

    def _launch(self) -> bool:
        """The last look at the calendar, with the tool paused and ready; then the first request."""
        moved = Run.objects.move(
            self._run.pk, of=[State.READY], to=State.RUNNING, started_at=clock.now()
        )
        self._lease.begin_now()
        if stop := self._lease.stop():
            return self._halt(stop)
        if not moved:
            return self._halt(Stop("The run was stopped before it began."))
        self._tool.go(self._job, self._child.go)
        self._heard_at = time.monotonic()
        self._deadline = self._heard_at + self._run.duration.total_seconds() + ENDING_S
        return True

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
            self._heard_at, self._read_at = time.monotonic(), clock.real_now()
            self.aggregator.add(self._reader.feed(chunk))

    def _tell(self, *, everything: bool = False) -> None:
        for second in self.aggregator.closed(clock.now().timestamp(), everything=everything):
            told = self._word(second, final=True)
            self._stream.tell(told)
            self._history.tell(told)
            self._lease.doing = report.doing(told.update)
        now = time.monotonic()
        if now - self._published_at >= PUBLISH_S and (newest := self.aggregator.open_second()):
            self._published_at = now
            self._stream.tell(self._word(newest, final=False))

    def _word(self, second: Second, *, final: bool) -> fanout.Told:
        self._seq += 1
        update = fanout.translate(second, seq=self._seq, final=final, tags=self._tags)
        now = time.monotonic()
        if not final or now - self._reported_at < REPORT_S:
            return fanout.Told(update, self._read_at, second.sketch.to_bytes() if final else b"")
        self._reported_at = now
        return fanout.Told(update, self._read_at, second.sketch.to_bytes(), self._report())

    def _report(self) -> dict[str, Any]:
        return {
            "totals": report.totals(self.aggregator.totals()),
            "endpoints": report.endpoints(self.aggregator.endpoints()),
            "log_tail": self._notes + self._child.tail + self._remarks(),
        }

    def _remarks(self) -> str:
        counts = {
            "lines of the tool made no sense and were left out": self._reader.garbage,
            "requests are missing: the tool could not hand them over in time": self._reader.dropped,
        }
        return "".join(f"\n{number} {what}" for what, number in counts.items() if number)

    def _reason_to_stop(self) -> Stop | None:
        now = time.monotonic()
        if stop := self._lease.stop() or self._shut_down():
            return stop
        if now > self._deadline:
            lasted = words.span(self._run.duration)
            return Stop(f"It reached its declared duration of {lasted}, the hard stop.")
        if now - self._heard_at > SILENT_S:
            return Stop(f"{self._tool.name} said nothing for {SILENT_S:g} s.", "errored")
        return None

    def _shut_down(self) -> Stop | None:
        if shutting_down.is_set():
            return Stop("The worker was shut down while the test ran.")
        return None

    def _halt(self, stop: Stop) -> bool:
        """Always False: the run goes no further. No database stands between a reason and TERM."""
        self.stop = stop
        self._child.terminate()
        return False

    def _drain(self) -> None:
        """Keep what the tool still says while it ends; a stopped one has what TERM gives it."""
        patience = process.TERM_GRACE_S if self.stop else DRAIN_S
        limit, pause = time.monotonic() + patience, threading.Event()
        while time.monotonic() < limit:
            chunk = self._child.read()
            self._ingest(chunk)
            if not chunk:
                if self._child.exit_code is not None:
                    return
                pause.wait(0.02)
