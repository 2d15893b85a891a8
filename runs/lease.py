"""Asks the calendar every second, in its own thread: a slow answer cannot delay a stop.

It shows between that the run is carried: shards end themselves when they see no sign of it.
"""

import logging
import socket
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.services import Renewal
from runs import moves
from runs.models import GOING, Run, State
from runs.outcome import Stop, fault_of_ours
from runs.persisting import ahead, tolerated
from runs.words import span

log = logging.getLogger(__name__)
EVERY_S, BEAT_S = 1.0, 0.5
SILENCE_S = 3.0
FALSE_CLOCK = timedelta(minutes=1)  # well within the buffer around a wedding
_UNBEGUN = (State.PREPARING, State.READY)  # a run that runs has made its first request
_NO_ANSWER = Stop(
    f"The wedding calendar did not answer for {SILENCE_S:g} s, and no answer is a no. "
    "Look at the database's health, then start again."
)


class Lease:
    """The permit as a lease: a yes is good for three seconds."""

    def __init__(self, *, run_id: int, permit_id: int | None, duration: timedelta) -> None:
        """A dry run has no permit: it sends nothing, and ends only when somebody stops it."""
        self.doing = "preparing"
        self._run_id, self._permit_id, self._duration = run_id, permit_id, duration
        self._said_yes = float("-inf")
        self._no: Stop | None = None
        self._deciding = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"lease {run_id}", daemon=True)

    def __enter__(self) -> "Lease":
        """Ask first: a run may have waited for its worker until the calendar turned."""
        self._judge_whole()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(SILENCE_S)

    def begin_now(self) -> None:
        """The last look, before the first request: an answer that comes too late is none."""
        asked_at = time.monotonic()
        self._judge_whole()
        if time.monotonic() - asked_at > SILENCE_S:
            with self._deciding:
                self._no = self._no or _NO_ANSWER

    def _judge_whole(self) -> None:
        """Judge the whole interval again, as one that begins now; no answer is a no."""
        no: Stop | None = _NO_ANSWER
        with tolerated(f"the last look at the calendar of run {self._run_id}"):
            no = self._look_again()
        if no:
            with self._deciding:
                self._no = self._no or no

    def stop(self) -> Stop | None:
        """Why the run must end, or None while it may go on."""
        if self._no:
            return self._no
        return _NO_ANSWER if time.monotonic() - self._said_yes > SILENCE_S else None

    def _work(self) -> None:
        asked_at = time.monotonic()
        try:
            while not self._closed.wait(BEAT_S):
                with tolerated(f"the heartbeat of run {self._run_id}"):
                    Run.objects.filter(pk=self._run_id).update(heartbeat_at=clock.real_now())
                if self._no is None and time.monotonic() - asked_at >= EVERY_S - BEAT_S / 2:
                    asked_at = time.monotonic()
                    self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        """What breaks here ends the run with a reason, and the heart goes on while it ends."""
        try:
            with tolerated(f"the permit of run {self._run_id}"):
                self._ask()
        except Exception:
            log.exception("the permit of run %s could not be renewed", self._run_id)
            with self._deciding:
                self._no = self._no or fault_of_ours(f"run {self._run_id}")

    def _look_again(self) -> Stop | None:
        """Where the clock is false the calendar is not asked: it would answer about another time,
        and take back a permit that is good.
        """
        if self._permit_id is not None and (stop := _false_clock(ahead())):
            return stop
        self._ask(until=clock.now() + self._duration)
        return None

    def _ask(self, until: datetime | None = None) -> None:
        if self._permit_id is None:
            self._look_whether_stopped()
            return
        answer = calendar_guard.renew(
            permit_id=self._permit_id, doing=self.doing, now=clock.now(), until=until
        )
        if answer.safe:
            self._said_yes = time.monotonic()
        else:
            self._hear_no(answer)

    def _hear_no(self, answer: Renewal) -> None:
        """The beat and the last look may both be told: what the first makes of it counts."""
        stopped = Stop(f"Stopped by {answer.revoked_by}: {answer.revoked_why}.")
        with self._deciding:
            try:
                self._no = self._no or self._refused(answer) or stopped
            finally:  # no database that fails stands between a no and TERM
                self._no = self._no or stopped
        self._move(answer, of=GOING)

    def _refused(self, answer: Renewal) -> Stop | None:
        """The calendar's no before the first request is a refusal, as at the door."""
        forbids = answer.revoked_by == moves.CALENDAR and not answer.verdict.safe
        if forbids and self._move(answer, of=_UNBEGUN, calendar=answer.verdict.as_json()):
            return Stop(answer.revoked_why, "refused")
        return None

    def _move(self, answer: Renewal, *, of: Iterable[State], **facts: Any) -> bool:
        return moves.move(
            self._run_id,
            of=of,
            to=State.STOPPING,
            by=answer.revoked_by,
            why=answer.revoked_why,
            now=clock.now(),
            **facts,
        )

    def _look_whether_stopped(self) -> None:
        self._said_yes = time.monotonic()
        if Run.objects.filter(pk=self._run_id, state=State.STOPPING).exists():
            self._no = Stop("The dry run was stopped.")


def _false_clock(ahead: timedelta) -> Stop | None:
    if abs(ahead) < FALSE_CLOCK:
        return None
    where = f"{span(abs(ahead))} {'ahead of' if ahead > timedelta() else 'behind'} the database's"
    return Stop(
        f"The clock of {socket.gethostname()} is {where}, so the wedding calendar cannot be asked "
        "about the right time. Set both by NTP, then start again.",
        "errored",
    )
