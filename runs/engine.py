"""A run asks the calendar, starts a tool, and tells its listeners what it sees."""

import contextlib
import socket
from pathlib import Path

import clock
from calendar_guard import services as calendar_guard
from runs import fanout, following, mishaps, moves, preparing
from runs.host import identity
from runs.host.identity import Identity
from runs.host.workdir import work_directory
from runs.lease import Lease
from runs.models import HELD_BY_A_WORKER, OPEN, Run, State
from runs.outcome import Outcome
from runs.persisting import surely
from runs.preparing import Ready
from runs.shards.conducting import Call, Conductor
from runs.tools import Tool, ToolProblem, get_tool
from runs.watch import Watch


def execute(run_id: int, *, call_shard: Call | None = None) -> None:
    """Drive a requested run to its end; a run that another worker holds is left alone.

    `call_shard` asks the workers for one that carries this shard of it (`sharding.execute`).
    """
    if not moves.move(
        run_id,
        of=[State.REQUESTED],
        to=State.PREPARING,
        by=moves.worker(),
        why="a worker is free",
        now=clock.now(),
        heartbeat_at=clock.real_now(),
        host=socket.gethostname(),
    ):
        return
    run = Run.objects.get(pk=run_id)
    run.processes_left = 0  # nothing was started yet
    try:
        outcome = _drive(run, call_shard)
    except Exception as problem:
        stop = mishaps.stop_of(problem, run, name=f"run {run_id}")
        outcome = Outcome(stop.outcome, stop.reason)
    surely(lambda: finish(run, outcome), f"the verdict of run {run_id}")


def finish(run: Run, outcome: Outcome) -> bool:
    """Write the verdict once, give the permit back, then tell the readers: in that order.

    True where this verdict is the one. Doing it again does what an earlier try left undone.
    """
    results = (
        "totals", "endpoints", "metrics", "breaches", "log_tail", "exit_code", "processes_left",
    )  # fmt: skip
    moved = moves.move(
        run.pk,
        of=HELD_BY_A_WORKER,
        to=outcome.outcome,
        by=moves.worker(),
        why=outcome.reason,
        now=clock.now(),
        verdict=outcome.as_json(),
        ended_at=clock.now(),
        **{name: getattr(run, name) for name in results},
    )
    over = Run.objects.filter(pk=run.pk).exclude(state__in=OPEN).first()
    if over:
        if over.permit_id is not None:
            calendar_guard.give_back(permit_id=over.permit_id, now=clock.now())
        fanout.close_stream(run.pk, over.verdict or {})
    return moved


def _drive(run: Run, call_shard: Call | None) -> Outcome:
    tool = get_tool(run.tool)
    if run.shards > 1 and not run.is_dry:
        return _conduct(run, tool, call_shard)
    who = identity.choose(tool.find())
    if run.is_dry:
        return _rehearse(run, tool, who)
    with (
        _lease(run) as lease,
        work_directory(who) as workdir,
    ):
        # No line of a foreign script is read before the calendar has said yes.
        if stop := lease.stop():
            return Outcome(stop.outcome, stop.reason)
        ready = _prepare(run, tool, who, workdir, lease)
        if stop := lease.stop():
            return Outcome(stop.outcome, stop.reason)
        child = following.begin(tool, ready, who, workdir)
        run.processes_left = None  # until it is proven
        with contextlib.closing(child):
            watch = Watch(run, tool, ready.job, child, lease)
            try:
                watch.follow()
            finally:
                watch.end()
        own = ready.own_verdicts(tool)
    ending = tool.explain(run.exit_code if run.exit_code is not None else -1, child.tail)
    return watch.decide(ending, own)


def _conduct(run: Run, tool: Tool, call_shard: Call | None) -> Outcome:
    if call_shard is None:
        raise ToolProblem("Nobody here can call the workers for its shards.", code="no_workers")
    with _lease(run) as lease:
        if stop := lease.stop():
            return Outcome(stop.outcome, stop.reason)
        conductor = Conductor(run, tool, lease, call_shard)
        try:
            conductor.follow()
        finally:
            conductor.end()
    return conductor.decide()


def _lease(run: Run) -> Lease:
    if run.permit_id is None:
        raise ToolProblem("The run has no permit of the wedding calendar.", code="no_permit")
    return Lease(run_id=run.pk, permit_id=run.permit_id, duration=run.duration)


def _rehearse(run: Run, tool: Tool, who: Identity) -> Outcome:
    """All that comes before the first request, and not one request."""
    with (
        Lease(run_id=run.pk, permit_id=None, duration=run.duration) as lease,
        work_directory(who) as workdir,
    ):
        ready = _prepare(run, tool, who, workdir, lease)
        if stop := lease.stop():
            return Outcome(stop.outcome, stop.reason)
    return Outcome("passed", preparing.forecast(run, ready.plan))


def _prepare(run: Run, tool: Tool, who: Identity, workdir: Path, lease: Lease) -> Ready:
    why_stop = following.or_shut_down(lease.stop)
    ready = preparing.prepare(run, tool, who, workdir, why_stop=why_stop)
    run.log_tail, run.tool_plan = ready.notes, ready.plan
    Run.objects.filter(pk=run.pk).update(
        tool_version=ready.version,
        latency_kind=tool.latency_kind,
        log_tail=ready.notes,
        tool_plan=ready.plan,
    )
    return ready
