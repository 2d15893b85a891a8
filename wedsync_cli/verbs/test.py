"""Everything, real tools and a real browser included: the README's test command and CI's."""

import argparse
import shutil
from collections.abc import Callable

from wedsync_cli import artillery, bootstrap, checks, steps, tools
from wedsync_cli.steps import Done, Step
from wedsync_cli.verbs.check import base_steps, environment
from wedsync_cli.words import FAILED, PASSED, Context, Problem

NAME = "test"
HELP = "Sets everything up, then runs every check and every test there is."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.DEV_LOCK)
    done = [_tool(context, "system packages", _packages)]  # faketime is one of them
    first = checks.dateless_suite if _faketime(context) else checks.fast_suite
    with steps.meanwhile(context, _load_tools) as tools_loaded:
        done += base_steps(context, first(context.venv))
        with steps.meanwhile(context, _run_hard_suites) as hard_suites_run:
            done += tools_loaded()
            done += _run(context, [checks.stories(context.venv), checks.slow_suite(context.venv)])
            done += hard_suites_run()
    for text in steps.summary(done):
        context.say.line(text)
    return FAILED if any(step.failed for step in done) else PASSED


def _load_tools(context: Context) -> list[Done]:
    """No test before the slow ones needs them, and k6 takes minutes to build."""
    with steps.meanwhile(context, _load_packages) as packages_loaded:
        done = [
            _tool(context, "k6", lambda context: str(tools.ensure_k6(context))),
            _tool(context, "k6's example scripts", _examples),
        ]
        return done + packages_loaded()


def _load_packages(context: Context) -> list[Done]:
    return [
        _tool(context, "Locust", lambda context: str(tools.ensure_locust(context))),
        _tool(context, "Artillery", lambda context: str(artillery.ensure(context))),
    ]


def _tool(context: Context, name: str, ensure: Callable[[Context], str]) -> Done:
    """In CI a missing tool is a failure; on a person's machine its tests are skipped aloud."""
    try:
        context.say.line(f"{name}: {ensure(context)}")
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


def _run_hard_suites(context: Context) -> list[Done]:
    """The fast tests where they are hardest: another database, four days. They need no tool.

    PostgreSQL takes two processors; the first of the days mostly waits, and the others run beside.
    """
    done, faketime = _run(context, [checks.postgres_suite(context.venv)]), _faketime(context)
    if faketime:
        return done + _run(context, checks.dated_suites(context.root, context.venv, faketime))
    return [*done, Done("fast tests on hard days (faketime is missing)", "skipped")]


def _faketime(context: Context) -> str | None:
    return shutil.which("faketime", path=context.env.get("PATH"))


def _run(context: Context, suites: list[Step]) -> list[Done]:
    base = environment(context)
    return steps.run_quietly(suites, root=context.root, base=base, say=context.say)
