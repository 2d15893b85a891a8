"""One run with one tool, from its start to its last sample: follow it, tell, and stop in time."""

from typing import Any

import clock
from runs import moves, process
from runs.following import Follower
from runs.lease import Lease
from runs.models import Run, State
from runs.outcome import Outcome, Stop
from runs.telling import Teller
from runs.tools import Ending, Job, OwnVerdict, Tool

_TOO_LATE = Stop("The run was stopped before it began.")


class Watch:
    """Nothing in its loop waits on a listener or on the calendar."""

    def __init__(self, run: Run, tool: Tool, job: Job, child: process.Tool, lease: Lease) -> None:
        self._run, self._child, self._lease = run, child, lease
        self._notes = run.log_tail
        self._tool = Follower(tool, job, child, self._why_stop)
        self._teller = Teller(run, self._tool.aggregator, lease, self._log)

    def follow(self) -> None:
        Run.objects.filter(pk=self._run.pk).update(**self._child.facts)
        if self._tool.get_ready() and self._say_ready() and self._launch():
            for _ in self._tool.steps():
                self._tell()
        self._teller.is_stopped = self._tool.stop is not None
        self._tool.drain()

    def end(self) -> None:
        """Prove that nothing is left running, and deliver what is queued."""
        self._run.processes_left = self._tool.end()
        self._run.exit_code = self._child.exit_code
        self._tell(everything=True)
        self._teller.close()

    def decide(self, ending: Ending, own: list[OwnVerdict]) -> Outcome:
        return self._teller.decide(self._tool.stop, ending, own)

    def _say_ready(self) -> bool:
        if self._move(State.PREPARING, State.READY, "the tool is ready"):
            return True
        return self._tool.halt(self._lease.stop() or _TOO_LATE)

    def _launch(self) -> bool:
        """The last look at the calendar, with the tool paused and ready; then the first request."""
        why = "the last look at the calendar, then the first request"
        self._lease.begin_now()
        if stop := self._lease.stop():
            return self._tool.halt(stop)
        if not self._move(State.READY, State.RUNNING, why, started_at=clock.now()):
            return self._tool.halt(self._lease.stop() or _TOO_LATE)
        self._tool.go()
        return True

    def _move(self, of: State, to: State, why: str, **facts: Any) -> bool:
        by, now = moves.worker(), clock.now()
        return moves.move(self._run.pk, of=[of], to=to, by=by, why=why, now=now, **facts)

    def _tell(self, *, everything: bool = False) -> None:
        followed = self._tool
        closed = followed.aggregator.closed(clock.now().timestamp(), everything=everything)
        self._teller.tell(closed, followed.read_at)
        if self._teller.tell_open(followed.read_at):
            followed.told()

    def _why_stop(self) -> Stop | None:
        return self._lease.stop() or self._teller.broken

    def _log(self) -> str:
        return self._notes + self._tool.log
