"""Everything, real tools and a real browser included: the README's test command and CI's."""

import argparse
import shutil
from collections.abc import Callable

from wedsync_cli import artillery, bootstrap, checks, steps, tools
from wedsync_cli.steps import Done, Step
from wedsync_cli.verbs.check import environment
from wedsync_cli.words import FAILED, PASSED, Context, Problem

NAME = "test"
HELP = "Sets everything up, then runs every check and every test there is."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    """The tools are built beside set-up, lint and what needs none of them."""
    venv = context.venv
    with (
        steps.meanwhile(context, _load_k6) as k6_loaded,
        steps.meanwhile(context, _load_system_packages) as system_packages_loaded,
    ):
        bootstrap.ensure(context, venv=venv, lock=bootstrap.DEV_LOCK)
        with steps.meanwhile(context, _load_packages) as packages_loaded:
            done = _run(context, checks.still(context.root, venv))
            done += _run(context, [checks.dateless_suite(venv)])
            done += system_packages_loaded() + k6_loaded() + packages_loaded()
    faketime = shutil.which("faketime", path=context.env.get("PATH"))
    done += _run(context, checks.long_suites(context.root, venv, faketime))
    for text in steps.summary(done):
        context.say.line(text)
    return FAILED if any(step.failed for step in done) else PASSED


def _load_k6(context: Context) -> list[Done]:
    return [
        _tool(context, "k6", lambda context: str(tools.ensure_k6(context))),
        _tool(context, "k6's example scripts", _examples),
    ]


def _load_system_packages(context: Context) -> list[Done]:
    return [_tool(context, "system packages", _packages)]


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


def _run(context: Context, suites: list[Step]) -> list[Done]:
    return steps.run_quietly(context, suites, base=environment(context))
