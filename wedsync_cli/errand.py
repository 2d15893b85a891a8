"""A run that a command started and answers for: it is started once, watched, stopped, told."""

import contextlib
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from wedsync_cli import follow, report
from wedsync_cli.client import Client, Refusal, Unreachable
from wedsync_cli.say import Say
from wedsync_cli.supervise import Interrupted, Signals
from wedsync_cli.words import ABORTED, BROKEN, USAGE, Problem

_STOPS_WITHIN_S = 20.0
_TRIES, _BETWEEN_S = 4, 1.0
_NOT_THERE = "Is it up? On this machine ./wedsync up starts it; --url names another."


class Refused(Exception):
    """The wedding calendar said no; `problem` is the document that says so."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("detail"))
        self.problem = problem


class Errand:
    """`url` is where a person finds the product's pages."""

    def __init__(self, say: Say, client: Client, *, url: str) -> None:
        self._say, self._client, self._url = say, client, url
        self._started: dict[str, Any] = {}

    def page(self, run_id: object) -> str:
        return f"{self._url}/runs/{run_id}/"

    def do(self, wanted: Mapping[str, Any], *, waits: bool) -> tuple[dict[str, Any], int | None]:
        """The run and, where it is over, the exit code. Raises Refused and Problem.

        Whoever interrupts stops the run, not only our watching it.
        """
        signals = Signals()
        with signals.watched():
            try:
                self._start(wanted)
                self._say.line(f"{_accepted(self._started)} {self.page(self._started['id'])}")
                if not waits:
                    return self._started, None
                run = follow.until_over(self._say, self._client, self._started["id"])
            except Interrupted as interrupt:
                return self._stop(signals, str(interrupt)), ABORTED
        return run, report.exit_code(run.get("verdict"))

    def look_at(self, run_id: str) -> dict[str, Any]:
        return follow.look_at(self._client, run_id)

    def _start(self, wanted: Mapping[str, Any]) -> None:
        """One key for all tries, so that an answer that got lost does not start a second run."""
        key = f"wedsync-run-{uuid.uuid4()}"
        for left in reversed(range(_TRIES)):
            try:
                with _undisturbed():
                    self._started = self._client.start(wanted, key=key)
                return
            except Refusal as refusal:
                raise _refused(refusal) from None
            except Unreachable as error:
                if not left:
                    raise Problem(error.what, why=error.why, then=_NOT_THERE) from None
            time.sleep(_BETWEEN_S)

    def _stop(self, signals: Signals, name: str) -> dict[str, Any]:
        """Asked until it is heard and the run is over; a second signal waits for nothing."""
        who = "Ctrl-C was pressed" if name == "SIGINT" else f"{name} arrived"
        if not self._started:
            then = f"Whether the run was accepted is told at {self._url}/runs/; stop it there."
            raise Problem(f"{who} before the product had answered.", then=then, code=ABORTED)
        run_id, deadline = self._started["id"], time.monotonic() + _STOPS_WITHIN_S
        self._say.line(f"{who}: stopping the run ...")
        is_asked = False
        while time.monotonic() < deadline and not signals.hurry.is_set():
            with contextlib.suppress(Unreachable):
                if not is_asked:
                    self._client.stop(run_id, why=f"{who} at ./wedsync run")
                    is_asked = True
                run = self._client.run(run_id)
                if run["state"] not in follow.GOING:
                    return run
            time.sleep(0.2)
        what = "is being stopped, but has not ended yet" if is_asked else "could not be stopped"
        raise Problem(f"Run {run_id} {what}.", then=f"Look at {self.page(run_id)}", code=ABORTED)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A signal waits until the answer is here: whoever interrupts then has an id to stop."""
    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _refused(refusal: Refusal) -> Exception:
    if refusal.problem.get("code") == "calendar_refused":
        return Refused(refusal.problem)
    is_ours = refusal.status >= 500 or refusal.status == 403
    code = BROKEN if is_ours else USAGE
    if refusal.status == 401:
        then = "Give the product's own token: --token or WEDSYNC_TOKEN; ./wedsync token prints one."
        return Problem("The product does not know this token.", then=then, code=USAGE)
    return Problem("The run was not accepted.", why=str(refusal), code=code)


def _accepted(started: Mapping[str, Any]) -> str:
    if started["state"] == "queued":
        return follow.waiting_line(started).removesuffix(" ...") + ":"
    return "A worker reads the script, nothing is sent:" if started.get("is_dry") else "Accepted:"
