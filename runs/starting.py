"""A test is asked for: the calendar says yes or no, and the run waits for its site or a worker."""

from dataclasses import asdict
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError

import clock
from calendar_guard import services as calendar_guard
from runs import fanout, moves, tasks
from runs.asking import KeyReused, RunRefused, check
from runs.models import Run, State
from runs.outcome import Outcome
from runs.request import Request
from runs.targets import Admitted
from runs.waiting import queue
from runs.waiting.queue import Answer
from runs.wording import RunWord, run_word

_MAY_CHANGE = ("tags", "notes")  # of a run that is there already, so they do not tell tests apart


def start(
    *, by: User, request: Request, now: datetime, key: str | None = None, plan_id: str | None = None
) -> RunWord:
    """Ask the calendar and let the run in, or queue it where its site is busy.

    A key that was used answers with its run, whatever the targets say by now.

    Raises Invalid, KeyReused or RunRefused.
    """
    if key and (earlier := _earlier(by, key)):
        return _same(earlier, request)
    admitted = check(request)
    run = _new(by, request, admitted, now)
    run.plan_id, run.idempotency_key = int(plan_id) if plan_id else None, key or None
    try:
        with queue.queue_lock():
            run.save()
            answer = queue.enter(run, slots=admitted.concurrency, by=by.username, now=now)
            if not answer.safe:
                _keep_refusal(run, answer, now)
            moves.begin(run, by=by.username, why=_why(run, answer), now=now)
    except IntegrityError:
        if key and (earlier := _earlier(by, key)):
            return _same(earlier, request)
        raise
    if not answer.safe:
        raise RunRefused(run_word(run), answer.verdict)
    _hurry(run)
    return run_word(run)


def dry_run(*, by: User, request: Request, now: datetime) -> RunWord:
    """Let a worker read the script and say what it would do; no request is made.

    So it needs no permit and waits for nobody; `calendar` is what a start now would be told.
    """
    run = _new(by, request, check(request), now)
    run.is_dry = True
    verdict = calendar_guard.check(start=now, duration=request.duration, now=now)
    run.calendar = verdict.as_json()
    moves.begin(run, by=by.username, why="a dry run was asked for", now=now)
    _hurry(run)
    return run_word(run)


def _new(by: User, request: Request, admitted: Admitted, now: datetime) -> Run:
    return Run(
        **asdict(request),
        site=admitted.site,
        allowed_by_id=admitted.target_id,
        requested_by=by,
        created_at=now,
        heartbeat_at=clock.real_now(),
    )


def _hurry(run: Run) -> None:
    fanout.open_stream(str(run.pk))
    if run.state == State.REQUESTED:
        tasks.enqueue(run.pk)


def _why(run: Run, answer: Answer) -> str:
    if not answer.safe:
        return answer.why
    return f"{run.site} is busy" if run.state == State.QUEUED else "a start was asked for"


def _keep_refusal(run: Run, answer: Answer, now: datetime) -> None:
    """A refusal is history too, but it does not use the idempotency key up."""
    run.idempotency_key, run.queued_at = None, None
    run.state, run.ended_at, run.processes_left = State.REFUSED, now, 0
    run.verdict = Outcome("refused", answer.why).as_json()


def _earlier(by: User, key: str) -> Run | None:
    return (
        Run.objects.select_related("requested_by")
        .filter(requested_by=by, idempotency_key=key)
        .first()
    )


def _same(run: Run, request: Request) -> RunWord:
    asked = {name: value for name, value in asdict(request).items() if name not in _MAY_CHANGE}
    if any(getattr(run, name) != value for name, value in asked.items()):
        raise KeyReused(
            f"This Idempotency-Key started run {run.pk}, which is a different test. "
            "Send a new key for a new test."
        )
    return run_word(run)
