"""Celery carries ids and hurries; the rows are the truth, and the sweep forgets none of them."""

import logging
import socket
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from kombu.exceptions import OperationalError

import clock
from runs import engine, fanout, following
from runs.host import living
from runs.models import HELD_BY_A_WORKER, OPEN, Run, State
from runs.outcome import Outcome
from runs.past import keeping
from runs.persisting import apart
from runs.shards import burying, sharding
from runs.waiting import queue, tending

log = logging.getLogger(__name__)
LOST_AFTER = timedelta(seconds=10)
REMIND_AFTER = timedelta(seconds=5)


@shared_task(name="runs.execute", ignore_result=True, max_retries=0, acks_late=False)
def execute(run_id: int) -> None:
    engine.execute(run_id, call_shard=enqueue_shard)
    let_in(clock.now())  # its site may be free for the next one


@shared_task(name="runs.execute_shard", ignore_result=True, max_retries=0, acks_late=False)
def execute_shard(shard_id: int) -> None:
    sharding.execute(shard_id)


@shared_task(name="runs.roll_up", ignore_result=True)
def roll_up() -> None:
    keeping.roll_up(now=clock.now())


@shared_task(name="runs.forget", ignore_result=True)
def forget() -> None:
    """A clock that was moved for a try must not cost a past that is kept by the real one."""
    if not clock.offset():
        keeping.forget(now=clock.now(), keep=settings.WEDSYNC_KEEP)


@shared_task(name="runs.sweep", ignore_result=True)
def sweep() -> None:
    for job in (_remind, _bury_lost, _let_in, _tell_lost_ends, _start_what_is_due):
        with apart(f"the sweep's {job.__name__.strip('_')}"):
            job()


def _remind() -> None:
    """Workers of waiting runs. The row's own time limits that to once for each interval."""
    now = clock.real_now()
    waiting = Run.objects.filter(state=State.REQUESTED, heartbeat_at__lt=now - REMIND_AFTER)
    for run_id in waiting.values_list("pk", flat=True):
        if waiting.filter(pk=run_id).update(heartbeat_at=now):
            enqueue(run_id)


def _bury_lost() -> None:
    """End what a dead worker left."""
    silent = Run.objects.filter(heartbeat_at__lt=clock.real_now() - LOST_AFTER)
    for run in silent.filter(state__in=HELD_BY_A_WORKER):
        with apart(f"burying run {run.pk}"):
            _bury(run)


def _tell_lost_ends() -> None:
    """To readers of a stream that nobody closed."""
    for run in Run.objects.filter(pk__in=fanout.open_streams()).exclude(state__in=OPEN):
        with apart(f"telling the end of run {run.pk}"):
            fanout.close_stream(run.pk, run.verdict or {})


def _start_what_is_due() -> None:
    """Schedules; one that must wait for its site is in the queue now."""
    begun = tending.tend(now=clock.now())
    for run_id in begun:
        fanout.open_stream(str(run_id))
    at_once = Run.objects.filter(pk__in=begun, state=State.REQUESTED)
    for run_id in at_once.values_list("pk", flat=True):
        enqueue(run_id)


def _let_in() -> None:
    let_in(clock.now())


def let_in(now: datetime) -> None:
    """Whoever was next in a queue whose site is free."""
    for run_id in queue.let_in(now=now):
        enqueue(run_id)


def enqueue(run_id: int) -> None:
    """Hurry a run along. With the broker away the row waits and the sweep sends it later."""
    try:
        execute.apply_async((run_id,), retry=False)
    except OperationalError as error:
        log.warning("run %s waits for the broker: %s", run_id, error)


def enqueue_shard(shard_id: int) -> None:
    """Call a worker; who conducts the run calls again while none has come."""
    try:
        execute_shard.apply_async((shard_id,), retry=False, expires=following.READY_S)
    except OperationalError as error:
        log.warning("shard %s waits for the broker: %s", shard_id, error)


def _bury(run: Run) -> None:
    here = run.host == socket.gethostname()
    if here and run.process_group:
        run.processes_left = living.end_stranger(
            run.process_group, run.process_born, run.process_mark
        )
    left, elsewhere = burying.bury(run)
    if run.shards > 1 and not elsewhere:
        run.processes_left = left
    reason = f"Its worker on {run.host} went silent; the seconds before are kept."
    if not here and run.shards == 1:
        elsewhere = [run.host]
    for host in elsewhere:
        reason += f" Look on {host} for processes that are still running."
    if engine.finish(run, Outcome("lost", reason)):
        log.error("run %s is lost: %s", run.pk, reason)


@worker_shutting_down.connect
def _stop_tools(**kwargs: Any) -> None:
    """A worker that goes takes its tools along, and says so in the verdict."""
    following.shutting_down.set()
