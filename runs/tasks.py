"""Celery carries ids and hurries; the rows are the truth, and the sweep forgets none of them."""

import logging
import socket
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from kombu.exceptions import OperationalError

import clock
from runs import engine, fanout, process, watch
from runs.models import HELD_BY_A_WORKER, OPEN, Run, State
from runs.outcome import Outcome

log = logging.getLogger(__name__)
LOST_AFTER = timedelta(seconds=10)
REMIND_AFTER = timedelta(seconds=5)


@shared_task(name="runs.execute", ignore_result=True, max_retries=0, acks_late=False)
def execute(run_id: int) -> None:
    engine.execute(run_id)


@shared_task(name="runs.sweep", ignore_result=True)
def sweep() -> None:
    """Remind workers of waiting runs; end what a dead worker left, and tell ends that got lost."""
    now = clock.real_now()
    waiting = Run.objects.filter(state=State.REQUESTED, heartbeat_at__lt=now - REMIND_AFTER)
    for run_id in waiting.values_list("pk", flat=True):
        # The row's own time limits reminders to one for each interval, whoever sweeps.
        if waiting.filter(pk=run_id).update(heartbeat_at=now):
            enqueue(run_id)
    for run in Run.objects.filter(state__in=HELD_BY_A_WORKER, heartbeat_at__lt=now - LOST_AFTER):
        _bury(run)
    over = Run.objects.filter(pk__in=fanout.open_streams()).exclude(state__in=OPEN)
    for run in over:
        fanout.close_stream(run.pk, run.verdict or {})


def enqueue(run_id: int) -> None:
    """Hurry a run along. With the broker away the row waits and the sweep sends it later."""
    try:
        execute.apply_async((run_id,), retry=False)
    except OperationalError as error:
        log.warning("run %s waits for the broker: %s", run_id, error)


def _bury(run: Run) -> None:
    here = run.host == socket.gethostname()
    if here and run.process_group:
        run.processes_left = process.end_stranger(run.process_group, run.process_born)
    reason = f"Its worker on {run.host} went silent; the seconds before are kept."
    if not here:
        reason += f" Look on {run.host} for processes that are still running."
    if engine.finish(run, Outcome("lost", reason)):
        log.error("run %s is lost: %s", run.pk, reason)


@worker_shutting_down.connect
def _stop_tools(**kwargs: Any) -> None:
    """A worker that goes takes its tools along, and says so in the verdict."""
    watch.shutting_down.set()
