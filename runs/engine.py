"""A run asks the calendar, starts a tool, and tells its listeners what it sees."""

import contextlib
import logging
import socket
import threading
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

import clock
from calendar_guard import services as calendar_guard
from runs import fanout, process, targets, thresholds
from runs.lease import Lease
from runs.models import HELD_BY_A_WORKER, Run, State
from runs.outcome import Outcome, decide
from runs.tools import Command, Job, Tool, ToolProblem, get_tool
from runs.watch import Watch

log = logging.getLogger(__name__)


def execute(run_id: int) -> None:
    """Drive a requested run to its end; a run that another worker holds is left alone."""
    if not Run.objects.move(
        run_id,
        of=[State.REQUESTED],
        to=State.PREPARING,
        heartbeat_at=clock.real_now(),
        host=socket.gethostname(),
    ):
        return
    run = Run.objects.get(pk=run_id)
    try:
        outcome = _drive(run)
    except ToolProblem as problem:
        run.log_tail = problem.output[-process.TAIL_BYTES :]
        outcome = Outcome("errored", str(problem))
    except targets.TargetRefused as problem:
        outcome = Outcome("errored", str(problem))
    except Exception:
        log.exception("run %s broke", run_id)
        outcome = Outcome(
            "errored", f"A fault of ours, not the script's: see run {run_id} in the log."
        )
    _finish_surely(run, outcome)


def _finish_surely(run: Run, outcome: Outcome) -> None:
    """A verdict outlives a database that is away for some seconds."""
    pause = threading.Event()
    for wait_s in (0.5, 1.0, 2.0, 4.0):
        try:
            finish(run, outcome)
            return
        except DatabaseError:
            log.exception("run %s: its verdict could not be written yet", run.pk)
            pause.wait(wait_s)
    finish(run, outcome)


def finish(run: Run, outcome: Outcome) -> bool:
    """Write the verdict once, give the permit back, then tell the readers: in that order."""
    results = ("totals", "endpoints", "log_tail", "exit_code", "processes_left")
    moved = Run.objects.move(
        run.pk,
        of=HELD_BY_A_WORKER,
        to=outcome.outcome,
        verdict=outcome.as_json(),
        ended_at=clock.now(),
        **{name: getattr(run, name) for name in results},
    )
    if moved:
        if run.permit_id is not None:
            calendar_guard.give_back(permit_id=run.permit_id, now=clock.now())
        fanout.close_stream(run.pk, outcome.as_json())
    return moved


def _drive(run: Run) -> Outcome:
    if run.permit_id is None:
        raise ToolProblem("The run has no permit of the wedding calendar.", code="no_permit")
    tool = get_tool(run.tool)
    who = process.identity(tool.find())
    with (
        Lease(run_id=run.pk, permit_id=run.permit_id, duration=run.duration) as lease,
        process.work_directory(who) as workdir,
    ):
        # No line of a foreign script is read before the calendar has said yes.
        if stop := lease.stop():
            return Outcome(stop.outcome, stop.reason)
        job = _prepare(run, tool, who, workdir)
        if stop := lease.stop():
            return Outcome(stop.outcome, stop.reason)
        child = process.Tool(partial(_command, tool, job), who=who, cwd=workdir)
        with contextlib.closing(child):
            watch = Watch(run, tool, job, child, lease)
            try:
                watch.follow()
            finally:
                watch.end()
    totals = watch.aggregator.totals()
    checks = tuple(thresholds.judge(thresholds.parse(text), totals) for text in run.thresholds)
    ending = tool.explain(run.exit_code if run.exit_code is not None else -1, run.log_tail)
    return decide(stop=watch.stop, ending=ending, totals=totals, checks=checks)


def _prepare(run: Run, tool: Tool, who: process.Identity, workdir: Path) -> Job:
    networks = targets.read_networks(settings.WEDSYNC_TARGET_NETWORKS)
    targets.check_target(run.target, networks)
    script = workdir / tool.script_name
    script.write_text(run.script, encoding="utf-8")
    script.chmod(0o644)
    job = Job(
        run_id=str(run.pk),
        script=script,
        workdir=workdir,
        target=run.target,
        duration=run.duration,
        users=run.users,
        port=_free_port(),
        deny=targets.complement(networks),
    )
    prepared = tool.prepare(job, partial(process.run, who=who, cwd=workdir))
    warnings = [f"{text}\n" for text in (who.why, *prepared.warnings) if text]
    run.log_tail = "".join(warnings)
    Run.objects.filter(pk=run.pk).update(
        tool_version=prepared.version, latency_kind=tool.latency_kind, log_tail=run.log_tail
    )
    return job


def _command(tool: Tool, job: Job, samples: int, go: int) -> Command:
    return tool.command(job, samples_fd=samples, go_fd=go)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
