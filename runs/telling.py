"""Tells a run's seconds to its listeners, judges them, holds the run to its target's cap on their
requests, and keeps its report up to date."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import clock
from calendar_guard import services as calendar_guard
from runs import fanout, report, targets, thresholds
from runs.lease import Lease
from runs.models import Run
from runs.outcome import Outcome, Stop, check_own, decide
from runs.samples import Second, cells
from runs.samples.aggregator import Aggregator
from runs.tools import Ending, OwnVerdict

PUBLISH_S, REPORT_S = 0.015, 2.0


class Teller:
    """Nothing in it waits on a listener. `log` is asked for what the tool has said so far."""

    def __init__(
        self, run: Run, aggregator: Aggregator, lease: Lease, log: Callable[[], str]
    ) -> None:
        self.broken: Stop | None = None
        self.is_stopped = False
        self._run, self._aggregator, self._lease, self._log = run, aggregator, lease, log
        self._cap = targets.rate_cap(run.request)
        self._judge = thresholds.Judge(thresholds.parse(text) for text in run.thresholds)
        self._tags = calendar_guard.context(now=clock.now()).as_tags()
        self._seq = 0
        self._published_at = self._reported_at = time.monotonic()
        stream, history = fanout.stream_to(str(run.pk)), fanout.keep_in(run.pk)
        self._stream = fanout.Listener(f"the stream of run {run.pk}", stream, keep=256)
        self._history = fanout.Listener(f"the history of run {run.pk}", history, keep=86_400)

    def tell(self, closed: Iterable[Second], read_at: datetime) -> None:
        for second in closed:
            told = self._word(second, read_at, final=True)
            self._stream.tell(told)
            self._history.tell(self._kept(told, second))
            self._lease.doing = report.doing(told.update)
            self._hold_to_cap(second)

    def tell_open(self, read_at: datetime) -> bool:
        """The newest second as far as it is known, now and then. True where it was told."""
        now = time.monotonic()
        due = now - self._published_at >= PUBLISH_S
        if due and (newest := self._aggregator.open_second()):
            self._published_at = now
            self._stream.tell(self._word(newest, read_at, final=False))
            return True
        return False

    def close(self) -> None:
        """Deliver what is queued, and put the report into the run, which is not saved."""
        self._stream.close(0.1)
        lost = self._history.close(10.0)
        for name, value in self._report().items():
            setattr(self._run, name, value)
        if lost:
            self._run.log_tail += f"\n{lost} seconds could not be kept; the worker's log says why."

    def decide(self, stop: Stop | None, ending: Ending, own: Iterable[OwnVerdict]) -> Outcome:
        totals, measured = self._aggregator.totals(), self._aggregator
        return decide(
            stop=stop,
            ending=ending,
            totals=totals,
            checks=self._judge.checks(totals, measured.endpoints(), measured.metrics()),
            own=tuple(check_own(self._run.tool, verdict) for verdict in own),
        )

    def _word(self, second: Second, read_at: datetime, *, final: bool) -> fanout.Told:
        self._seq += 1
        breaches = self._judged(second) if final else []
        update = fanout.translate(
            second,
            seq=self._seq,
            final=final,
            tags=self._tags,
            heat=self._judge.heat() if final else (),
            breaches=breaches,
        )
        return fanout.Told(update, read_at)

    def _kept(self, told: fanout.Told, second: Second) -> fanout.Told:
        """With what stays of a closed second, and every other second with the report so far."""
        now = time.monotonic()
        is_due = now - self._reported_at >= REPORT_S or bool(told.update.breaches)
        self._reported_at = now if is_due else self._reported_at
        found = self._report() if is_due else None
        return replace(
            told, sketch=second.sketch.to_bytes(), cells=cells.pack(second.cells), report=found
        )

    def _judged(self, second: Second) -> list[thresholds.Breach]:
        """What this second broke. After a stop what follows is our doing, not the site's."""
        breaches = [] if self.is_stopped else self._judge.see(second)
        if self.broken is None and (
            stopping := [each for each in breaches if each.threshold.stops]
        ):
            self.broken = Stop(f"Stopped as failed: {stopping[0].sentence}.", "failed")
        return breaches

    def _hold_to_cap(self, second: Second) -> None:
        if self._cap and self.broken is None and not self.is_stopped:
            self.broken = self._cap.see(second)

    def _report(self) -> dict[str, Any]:
        return {
            "totals": report.totals(self._aggregator.totals()),
            "endpoints": report.endpoints(self._aggregator.endpoints()),
            "metrics": report.metrics(self._aggregator.metrics()),
            "breaches": self._judge.kept(),
            "log_tail": self._log(),
        }
