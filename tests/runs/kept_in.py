"""Runs a real tool as the engine does, with all of its safeguards, without calendar and rows."""

import contextlib
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from runs import preparing, process
from runs.host import identity, living
from runs.host.workdir import work_directory
from runs.models import Run
from runs.preparing import Ready
from runs.samples.aggregator import Aggregator
from runs.tools import Command, Reader, Tool


@dataclass
class Kept:
    tool: Tool
    ready: Ready
    child: process.ToolProcess
    aggregator: Aggregator
    reader: Reader

    @property
    def names(self) -> str:
        """Everything that stays of its samples and its log, as one text."""
        found = (*self.aggregator.endpoints(), *self.aggregator.metrics())
        return "\n".join([*map(str, found), self.child.tail, str(self.ready.plan)])

    def read(self) -> bytes | None:
        select.select([self.child.samples], [], [], 0.05)
        chunk = self.child.read()
        if chunk:
            self.aggregator.add(self.ready.redactor.batch(self.reader.feed(chunk)))
        return chunk

    def follow(self, seconds: float = 60) -> int:
        """From ready to its end; its exit code."""
        ends = time.monotonic() + seconds
        while not self.tool.is_ready(self.ready.job, self.reader):
            assert self.child.exit_code is None, self.child.tail
            assert time.monotonic() < ends, "never got ready"
            self.read()
        self.child.let_out()
        self.tool.go(self.ready.job, self.child.go)
        while (code := self.child.exit_code) is None or self.read():
            assert time.monotonic() < ends, "never ended"
            self.read()
        return code

    def command_lines(self) -> str:
        """What anybody on this machine can read of the tool's processes."""
        found = [f"/proc/{pid}/cmdline" for pid in living.members(self.child.group)]
        texts = []
        for path in found:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                texts.append(file.read().decode(errors="replace"))
        return "\n".join(texts)


def run_of(tool: Tool, script: str, **words: Any) -> Run:
    """A run that no table holds."""
    defaults = {"target": "http://127.0.0.1:1", "duration": timedelta(seconds=6)}
    return Run(tool=tool.name, script=script, name="a test", **(defaults | words))


@contextlib.contextmanager
def kept_in(tool: Tool, run: Run) -> Iterator[Kept]:
    who = identity.choose(tool.find())
    with work_directory(who) as workdir:
        ready = preparing.prepare(run, tool, who, workdir)

        def command(samples: int, go: int) -> Command:
            return tool.command(ready.job, samples_fd=samples, go_fd=go)

        child = process.ToolProcess(
            command, who=who, cwd=workdir, fence=ready.fence, redactor=ready.redactor
        )
        with contextlib.closing(child):
            yield Kept(tool, ready, child, Aggregator(), tool.reader())
