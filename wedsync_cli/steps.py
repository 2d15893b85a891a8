"""Runs checks one by one or two at a time, tells each with its seconds, and sums up."""

import io
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from wedsync_cli.say import Say
from wedsync_cli.words import Context


@dataclass(frozen=True)
class Step:
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    name: str
    outcome: str
    """`passed`, `failed`, or `skipped: why`."""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return self.outcome == "failed"


def run_quietly(context: Context, steps: Sequence[Step], *, base: Mapping[str, str]) -> list[Done]:
    """Two at a time. Output is shown only where a step failed, and what was skipped always."""
    done = []
    with ThreadPoolExecutor(max_workers=2) as pool, _giving_up(context):
        waiting = [pool.submit(_captured, context, step, base) for step in steps]
        for future in as_completed(waiting):
            result, output = future.result()
            context.say.line(line(result))
            shown = output.splitlines() if result.failed else _skipped(output)
            for text in shown:
                context.say.line(text)
            done.append(result)
    return done


def run_aloud(context: Context, step: Step, *, base: Mapping[str, str]) -> Done:
    """The step writes to our terminal itself."""
    context.say.line(f"== {step.name}")
    began = time.monotonic()
    code = subprocess.run(
        step.argv, cwd=context.root, env={**base, **step.env}, stdin=subprocess.DEVNULL
    ).returncode
    result = Done(step.name, "failed" if code else "passed", time.monotonic() - began)
    context.say.line(line(result))
    return result


@contextmanager
def meanwhile(
    context: Context, work: Callable[[Context], list[Done]]
) -> Iterator[Callable[[], list[Done]]]:
    """Do `work` beside the block. What is yielded waits for it, and then tells its words whole."""
    words = io.StringIO()
    with ThreadPoolExecutor(max_workers=1) as pool, _giving_up(context):
        working = pool.submit(work, replace(context, say=Say(words)))

        def join() -> list[Done]:
            try:
                return working.result()
            finally:
                context.say.line(words.getvalue().rstrip())

        yield join


@contextmanager
def _giving_up(context: Context) -> Iterator[None]:
    """Before anybody waits for what goes on beside."""
    try:
        yield
    except BaseException:
        context.given_up.set()
        raise


def line(done: Done) -> str:
    return f"{done.outcome:<8} {done.seconds:6.1f} s  {done.name}"


def summary(all_done: Sequence[Done]) -> list[str]:
    failed = [done.name for done in all_done if done.failed]
    seconds = sum(done.seconds for done in all_done)
    last = f"{len(failed)} of {len(all_done)} steps failed: {', '.join(failed)}"
    good = f"All {len(all_done)} steps passed ({seconds:.0f} s of work)"
    return ["", "Summary", *(line(done) for done in all_done), last if failed else good]


def _skipped(output: str) -> list[str]:
    """What pytest says of it."""
    return [line for line in output.splitlines() if line.startswith("SKIPPED")]


def _captured(context: Context, step: Step, base: Mapping[str, str]) -> tuple[Done, str]:
    if context.given_up.is_set():
        return Done(step.name, "skipped"), ""
    began = time.monotonic()
    done = subprocess.run(
        step.argv,
        cwd=context.root,
        env={**base, **step.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    outcome = "failed" if done.returncode else "passed"
    return Done(step.name, outcome, time.monotonic() - began), done.stdout
