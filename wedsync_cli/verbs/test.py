"""Everything, real tools and a real browser included: the README's test command and CI's."""

import argparse
import shutil
from collections.abc import Callable

from wedsync_cli import bootstrap, checks, steps, tools
from wedsync_cli.steps import Done
from wedsync_cli.verbs.check import base_steps
from wedsync_cli.words import FAILED, PASSED, Context, Problem

NAME = "test"
HELP = "Sets everything up, then runs every check and every test there is."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.DEV_LOCK)
    done = [*_tools(context), *base_steps(context), *_dated(context)]
    base = {**context.env, **tools.environment(context)}
    slow = checks.slow_suite(context.venv)
    done.append(steps.run_aloud(slow, root=context.root, base=base, say=context.say))
    for text in steps.summary(done):
        context.say.line(text)
    return FAILED if any(step.failed for step in done) else PASSED


def _tools(context: Context) -> list[Done]:
    """In CI a missing tool is a failure; on a person's machine its tests are skipped aloud."""
    return [
        _tool(context, "k6", lambda: str(tools.ensure_k6(context))),
        _tool(context, "k6's example scripts", lambda: _examples(context)),
        _tool(context, "Locust", lambda: str(tools.ensure_locust(context))),
        _tool(context, "system packages", lambda: _packages(context)),
    ]


def _tool(context: Context, name: str, ensure: Callable[[], str]) -> Done:
    try:
        context.say.line(f"{name}: {ensure()}")
    except Problem as problem:
        required = context.env.get("CI") == "true"
        context.say.line(f"{name} is missing{'' if required else ', its tests are skipped'}.")
        context.say.line(str(problem))
        return Done(name, "failed" if required else "skipped")
    return Done(name, "passed")


def _examples(context: Context) -> str:
    examples = tools.ensure_k6_examples(context)
    if examples is None:
        raise Problem("k6's example scripts come with its Go module, and Go is not on PATH.")
    return str(examples)


def _packages(context: Context) -> str:
    if missing := tools.ensure_packages(context):
        then = f"Run: {tools.install_line(missing)}"
        raise Problem(f"Not installed: {', '.join(missing)}.", then=then)
    return ", ".join(tools.PACKAGES)


def _dated(context: Context) -> list[Done]:
    faketime = shutil.which("faketime", path=context.env.get("PATH"))
    if faketime is None:
        return [Done("fast tests on hard days (faketime is missing)", "skipped")]
    base = {**context.env, **tools.environment(context)}
    suites = checks.dated_suites(context.root, context.venv, faketime)
    return steps.run_quietly(suites, root=context.root, base=base, say=context.say)
