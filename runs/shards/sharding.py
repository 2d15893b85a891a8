"""A worker's part of a run: it prepares, waits for go, and sends what it sees to the conductor."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

import clock
from runs import following, mishaps, preparing, process
from runs.following import Follower
from runs.host import identity
from runs.host.identity import Identity
from runs.host.workdir import work_directory
from runs.models import Shard, State
from runs.outcome import Stop
from runs.persisting import answer, surely
from runs.preparing import Ready
from runs.shards.burying import total
from runs.shards.link import EAGER_S, LOOK_S, Link
from runs.tools import Tool, ToolProblem, get_tool


@dataclass
class Result:
    """How a shard ended. `outcome` is empty after a natural end."""

    outcome: str = ""
    why: str = ""
    log_tail: str = ""
    exit_code: int | None = None
    processes_left: int | None = 0
    own: list[list[Any]] = field(default_factory=list)

    def end(self, outcome: str, why: str) -> None:
        self.outcome, self.why = outcome, why


def execute(shard_id: int, *, worker: str = "") -> None:
    """Carry a shard that waits; one of a run that this worker has a part of already is left."""
    if not _claim(shard_id, worker or f"{socket.gethostname()}:{os.getpid()}"):
        return
    shard = Shard.objects.select_related("run").get(pk=shard_id)
    result = Result()
    try:
        with Link(shard) as link:
            _drive(shard, link, result)
    except Exception as problem:
        stop = mishaps.stop_of(problem, result, name=str(shard))
        result.end(stop.outcome, stop.reason)
    ended = Shard.objects.filter(pk=shard_id).exclude(state=Shard.State.ENDED)
    surely(lambda: ended.update(state=Shard.State.ENDED, **vars(result)), str(shard))


def _claim(shard_id: int, worker: str) -> bool:
    waiting = Shard.objects.filter(
        pk=shard_id, state=Shard.State.WAITING, run__state=State.PREPARING
    )
    try:
        with transaction.atomic():
            return bool(
                waiting.update(
                    state=Shard.State.PREPARING,
                    worker=worker,
                    host=socket.gethostname(),
                    heartbeat_at=clock.real_now(),
                )
            )
    except IntegrityError:
        return False


def _drive(shard: Shard, link: Link, result: Result) -> None:
    run, tool = shard.run, get_tool(shard.run.tool)
    why_stop = following.or_shut_down(link.stop)
    who = identity.choose(tool.find())
    with work_directory(who) as workdir:
        ready = preparing.prepare(run, tool, who, workdir, shard=shard.index, why_stop=why_stop)
        Shard.objects.filter(pk=shard.pk).update(
            plan=ready.plan, notes=ready.notes, version=ready.version
        )
        if stop := link.stop():
            result.end(stop.outcome, stop.reason)
            return
        with contextlib.closing(following.begin(tool, ready, who, workdir)) as child:
            result.processes_left = None  # until it is proven
            part = _Part(shard, tool, ready, link, child, result)
            part.carry()
        if part.setup and shard.index == 0 and not result.outcome:
            _tear_down(part, who, workdir)
        result.own = [[own.text, own.held] for own in ready.own_verdicts(tool)]


class _Part:
    """One shard's tool from its start to its end."""

    def __init__(
        self,
        shard: Shard,
        tool: Tool,
        ready: Ready,
        link: Link,
        child: process.ToolProcess,
        result: Result,
    ) -> None:
        self.result = result
        self.setup = b""
        self.shard, self.tool, self.ready, self.link = shard, tool, ready, link
        self._child = child
        self._follower = Follower(tool, ready.job, child, link.stop)

    def carry(self) -> None:
        """The shard's load."""
        self._at_work(self._load)
        self._send(everything=True)
        if not self.result.outcome:
            self.result.outcome, self.result.why = self._judge()

    def tear_down(self, setup: bytes) -> None:
        """What the script does once at its end, by a tool that is never let go."""
        self.setup = setup
        self._at_work(self._clean_up)

    def _at_work(self, act: Callable[[], None]) -> None:
        tool, result = self._follower, self.result
        try:
            if self._keep(**self._child.facts):
                act()
            tool.drain()
        except ToolProblem as problem:
            tool.halt(Stop(self.ready.redactor.text(str(problem)), "errored"))
        finally:
            result.processes_left = tool.end()
        result.exit_code, result.log_tail = self._child.exit_code, tool.log
        if tool.stop:
            result.outcome, result.why = tool.stop.outcome, tool.stop.reason

    def _load(self) -> None:
        tool = self._follower
        is_called = tool.get_ready() and self._keep(state=Shard.State.READY)
        is_prepared = is_called and tool.wait_for(lambda: self.link.is_going)
        if is_prepared and self._share_setup() and tool.go():
            for _ in tool.steps():
                self._send()

    def _clean_up(self) -> None:
        job, tool = self.ready.job, self._follower
        if tool.get_ready():
            self._patiently(lambda: self.tool.share_setup(job, self._child.go, self.setup))
            self._patiently(lambda: self.tool.tear_down(job, self._child.go))
            self._child.terminate()

    def _share_setup(self) -> bool:
        """Once for all: the first does it and writes what it gave, the others wait for that."""
        if self.shard.index == 0:
            is_done = self._patiently(lambda: self._prepare_script(None))
            return is_done and self._keep(state=Shard.State.RUNNING, setup=self.setup)
        is_told = self._until(lambda: bool(answer(self._is_told)))
        is_done = is_told and self._patiently(lambda: self._prepare_script(self.setup))
        return is_done and self._keep(state=Shard.State.RUNNING)

    def _prepare_script(self, told: bytes | None) -> None:
        self.setup = self.tool.share_setup(self.ready.job, self._child.go, told)

    def _is_told(self) -> bool:
        first = Shard.objects.filter(run_id=self.shard.run_id, index=0)
        found = first.values_list("setup", flat=True).first()
        self.setup = b"" if found is None else bytes(found)
        return found is not None

    def _patiently(self, act: Callable[[], object]) -> bool:
        """Do what may take long, with an eye on the reasons to stop: those end the tool."""
        problems: list[ToolProblem] = []

        def work() -> None:
            try:
                act()
            except ToolProblem as problem:
                problems.append(problem)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        is_done = self._follower.wait_for(lambda: not thread.is_alive())
        thread.join(process.TERM_GRACE_S)
        if problems and self._follower.stop is None:
            raise problems[0]
        return is_done

    def _send(self, *, everything: bool = False) -> None:
        seen = self._follower.aggregator
        if closed := seen.closed(clock.now().timestamp(), everything=everything):
            self.link.send(closed, seen.learned)

    def _judge(self) -> tuple[str, str]:
        code = self.result.exit_code
        ending = self.tool.explain(-1 if code is None else code, self._child.tail)
        if ending.kind == "finished":
            return "", ""
        outcome = "failed" if ending.kind in {"thresholds_crossed", "marked_failed"} else "errored"
        return outcome, ending.sentence

    def _keep(self, **facts: Any) -> bool:
        """As soon as the database takes it. False where the tool ended or was ended before."""
        mine = Shard.objects.filter(pk=self.shard.pk)
        return self._until(lambda: answer(lambda: mine.update(**facts)) is not None)

    def _until(self, is_answered: Callable[[], bool]) -> bool:
        """Wait for what the database says."""
        return self._follower.wait_for(is_answered, every_s=EAGER_S)


def _tear_down(part: _Part, who: Identity, workdir: Path) -> None:
    """When all the others are over as well, unless the run was stopped: that would be load too."""
    link, result = part.link, part.result
    others = Shard.objects.filter(run_id=part.shard.run_id).exclude(pk=part.shard.pk)
    pause, why_stop = threading.Event(), following.or_shut_down(link.stop)
    working = others.exclude(state=Shard.State.ENDED)
    while answer(working.exists) is not False and not why_stop():
        pause.wait(LOOK_S)
    if stop := why_stop():
        result.end(stop.outcome, stop.reason)
        return
    with contextlib.closing(following.begin(part.tool, part.ready, who, workdir)) as child:
        before, result.processes_left = result.processes_left, None
        last = _Part(part.shard, part.tool, part.ready, link, child, Result())
        try:
            last.tear_down(part.setup)
        finally:
            result.processes_left = total([before, last.result.processes_left])
            result.log_tail += last.result.log_tail
    result.end(last.result.outcome, last.result.why)
