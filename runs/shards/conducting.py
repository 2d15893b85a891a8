"""A run that several workers carry: they start together, are judged as one, and end together.

The conductor starts no tool. It calls workers, merges the seconds that their shards send, and ends
all of them when one is gone; the run's own state is what tells them to go and to stop.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import clock
from runs import following, launching, moves, process
from runs.lease import Lease
from runs.models import GOING, Run, Shard, State
from runs.outcome import Outcome, Stop
from runs.persisting import surely, tolerated
from runs.shards import burying
from runs.shards.burying import AT_WORK
from runs.shards.judging import Whole
from runs.shards.link import STOPPED
from runs.shards.merging import Merger
from runs.telling import Teller
from runs.tools import Ending, Tool

Call = Callable[[int], None]
CALL_S, LOOK_S, SILENT_S, ENDS_S, REASON_S = 1.0, 0.1, 3.0, 10.0, 2.0


class Conductor:
    """`call` asks the workers that somebody carries a shard; asking twice does no harm."""

    def __init__(self, run: Run, tool: Tool, lease: Lease, call: Call) -> None:
        self._run, self._tool, self._lease, self._call = run, tool, lease, call
        self._parts = Shard.objects.bulk_create(
            [Shard(run=run, index=index) for index in range(run.shards)]
        )
        self._stop: Stop | None = None
        self._notes = ""
        self._merger = Merger(run)
        self._teller = Teller(run, self._merger.aggregator, lease, self._log)
        self._pulses = Pulses()
        self._whole = Whole(run)
        self._began_at, self._lasted_s = time.monotonic(), 0.0
        self._deadline = float("inf")

    def follow(self) -> None:
        pause = threading.Event()
        if self._gather() and self._launch():
            while self._look() and any(part.state in AT_WORK for part in self._parts):
                self._merge()
                if stop := self._why_stop():
                    self._halt(stop)
                    break
                pause.wait(LOOK_S)
        self._see_them_end()

    def end(self) -> None:
        """Merge what is left to merge, deliver what is queued, prove that nothing is running."""
        run = self._run
        codes = [part.exit_code for part in self._parts if part.exit_code is not None]
        run.exit_code = next((code for code in codes if code), codes[0] if codes else None)
        self._merge(everything=True)
        self._teller.close()
        surely(self._bury, f"the end of the shards of run {run.pk}")

    def decide(self) -> Outcome:
        failed = [self._said(part) for part in self._parts if part.outcome == "failed"]
        ending = Ending("finished", f"{self._tool.name} finished.")
        if failed:
            ending = Ending("marked_failed", failed[0])
        kinds = self._merger.aggregator.learned["kinds"]
        own = self._whole.verdicts(self._parts, kinds, self._lasted_s)
        return self._teller.decide(self._stop, ending, own)

    def _bury(self) -> None:
        left, elsewhere = burying.bury(self._run)
        self._run.processes_left = None if elsewhere else left

    def _gather(self) -> bool:
        """Until every shard is ready. Workers come when they are free: a call may be repeated."""
        pause, called_at = threading.Event(), float("-inf")
        limit = time.monotonic() + following.READY_S
        while True:
            self._look()
            if stop := self._why_stop() or self._too_early():
                return self._halt(stop)
            waiting = [part for part in self._parts if part.state == Shard.State.WAITING]
            if all(part.state == Shard.State.READY for part in self._parts):
                return True
            now = time.monotonic()
            if waiting and now > limit:
                return self._halt(self._too_few(len(waiting)))
            if now - called_at >= CALL_S:
                called_at = now
                for part in waiting:
                    self._call(part.pk)
            pause.wait(LOOK_S)

    def _launch(self) -> bool:
        """All are ready; the run's state lets them go."""
        self._keep_facts()
        self._began_at = time.monotonic()
        if stop := launching.launch(self._run.pk, self._lease, ready="every shard is ready"):
            return self._halt(stop)
        lasts = self._run.duration.total_seconds() + following.ENDING_S
        self._deadline = time.monotonic() + lasts
        return True

    def _keep_facts(self) -> None:
        """What the first shard found out of the whole script."""
        first = Shard.objects.get(run=self._run, index=0)
        self._notes = first.notes
        self._run.tool_plan = first.plan
        self._whole = Whole(self._run)
        Run.objects.filter(pk=self._run.pk).update(
            tool_version=first.version,
            latency_kind=self._tool.latency_kind,
            log_tail=first.notes,
            tool_plan=first.plan,
        )

    def _look(self) -> bool:
        """Always True. What cannot be read stays as it was: the lease ends what has no answer."""
        with tolerated(f"the shards of run {self._run.pk}"):
            found = Shard.objects.filter(run=self._run).defer("setup", "plan", "notes")
            self._parts = list(found.order_by("index"))
            self._pulses.see({part.pk: part.heartbeat_at for part in self._parts})
        return True

    def _merge(self, *, everything: bool = False) -> None:
        closed = self._merger.merge(self._parts, everything=everything)
        self._whole.see(closed)
        self._teller.tell(closed, clock.real_now())

    def _why_stop(self) -> Stop | None:
        if stop := self._lease.stop() or following.shut_down() or self._teller.broken:
            return stop
        if time.monotonic() > self._deadline:
            return following.hard_stop(self._run.duration, self._merger.aggregator)
        return self._trouble()

    def _trouble(self) -> Stop | None:
        """A shard that failed or is gone; one that was told to stop has no reason of its own."""
        for part in self._parts:
            if part.outcome in {"aborted", "errored"} and part.why != STOPPED:
                return Stop(self._said(part), part.outcome)
            if self._is_silent(part):
                _, elsewhere = burying.whereabouts([part])
                look = "".join(f" Look on {host} for processes left." for host in elsewhere)
                name = f"Shard {part.index + 1} on {part.host}"
                return Stop(f"{name} went silent, so all were stopped.{look}", "errored")
        return None

    def _is_silent(self, part: Shard) -> bool:
        return part.state in AT_WORK and self._pulses.silent_s(part.pk) > SILENT_S

    def _too_early(self) -> Stop | None:
        """A tool that ended by itself before it was let go: the others would wait for ever."""
        for part in self._parts:
            if part.state == Shard.State.ENDED and part.why != STOPPED:
                part.why = part.why or "it ended before the test began; its log says why."
                return Stop(self._said(part), "errored")
        return None

    def _too_few(self, missing: int) -> Stop:
        came = self._run.shards - missing
        return Stop(
            f"{came} of {self._run.shards} workers came within {following.READY_S:g} s; start more "
            "workers for the queue “run”, or ask for fewer shards.",
            "errored",
        )

    def _halt(self, stop: Stop) -> bool:
        """Always False: the run goes no further."""
        self._stop, self._teller.is_stopped = stop, True
        self._tell_to_stop(stop)
        return False

    def _tell_to_stop(self, stop: Stop) -> None:
        """Without a database nobody is told, but then no shard hears of us either, and ends."""
        with tolerated(f"telling the shards of run {self._run.pk} to stop"):
            Shard.objects.filter(run=self._run, state=Shard.State.WAITING).update(
                state=Shard.State.ENDED
            )
            moves.move(
                self._run.pk,
                of=GOING,
                to=State.STOPPING,
                by=moves.worker(),
                why=stop.reason,
                now=clock.now(),
            )

    def _see_them_end(self) -> None:
        pause, limit = threading.Event(), time.monotonic() + ENDS_S
        while self._look() and time.monotonic() < limit:
            self._merge()
            if not any(part.state in AT_WORK and not self._is_silent(part) for part in self._parts):
                break
            pause.wait(LOOK_S)
            if self._stop:
                self._tell_to_stop(self._stop)
        self._lasted_s = time.monotonic() - self._began_at
        self._stop = self._stop or self._trouble() or self._who_stopped()

    def _who_stopped(self) -> Stop | None:
        """Shards see a stop in the run's state before the lease hears who asked for it."""
        if not any(part.why == STOPPED for part in self._parts):
            return None
        pause, limit = threading.Event(), time.monotonic() + REASON_S
        while not self._lease.stop() and time.monotonic() < limit:
            pause.wait(LOOK_S)
        return self._lease.stop() or Stop(STOPPED)

    def _said(self, part: Shard) -> str:
        return f"Shard {part.index + 1} on {part.host}: {part.why}"

    def _log(self) -> str:
        most = process.TAIL_BYTES // self._run.shards
        tails = [
            f"[shard {part.index + 1} on {part.host}]\n{part.log_tail[-most:]}"
            for part in self._parts
            if part.log_tail
        ]
        return "\n".join([self._notes, *tails]) if tails else self._notes


class Pulses:
    """How long ago each heartbeat changed, by our own clock: theirs may differ from it."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[datetime | None, float]] = {}

    def see(self, beats: dict[int, datetime | None]) -> None:
        now = time.monotonic()
        for key, beat in beats.items():
            if key not in self._seen or self._seen[key][0] != beat:
                self._seen[key] = (beat, now)

    def silent_s(self, key: int) -> float:
        return time.monotonic() - self._seen[key][1] if key in self._seen else 0.0
