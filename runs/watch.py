"""One run with one tool, from its start to its last sample: follow it, tell, and stop in time."""

import clock
from runs import launching, process
from runs.following import Follower
from runs.lease import Lease
from runs.models import Run
from runs.outcome import Outcome, Stop
from runs.telling import Teller
from runs.tools import Ending, Job, OwnVerdict, Tool


class Watch:
    """Nothing in its loop waits on a listener or on the calendar."""

    def __init__(
        self, run: Run, tool: Tool, job: Job, child: process.ToolProcess, lease: Lease
    ) -> None:
        self._run, self._child, self._lease = run, child, lease
        self._notes = run.log_tail
        self._tool = Follower(tool, job, child, self._why_stop)
        self._teller = Teller(run, self._tool.aggregator, lease, self._log)

    def follow(self) -> None:
        Run.objects.filter(pk=self._run.pk).update(**self._child.facts)
        if self._tool.get_ready() and self._launch():
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

    def _launch(self) -> bool:
        if stop := launching.launch(self._run.pk, self._lease, ready="the tool is ready"):
            return self._tool.halt(stop)
        return self._tool.go()

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
