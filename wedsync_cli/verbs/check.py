"""Lint, types, contracts and the quick tests: yours, and the pre-commit hook's."""

import argparse

from wedsync_cli import bootstrap, checks, steps, tools
from wedsync_cli.words import FAILED, PASSED, Context

NAME = "check"
HELP = "Lint, types, import contracts and the quick tests, in under a minute."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.DEV_LOCK)
    base, venv = environment(context), context.venv
    done = steps.run_quietly(context, checks.still(context.root, venv), base=base)
    done.append(steps.run_aloud(context, checks.quick_suite(venv), base=base))
    for text in steps.summary(done):
        context.say.line(text)
    return FAILED if any(step.failed for step in done) else PASSED


def environment(context: Context) -> dict[str, str]:
    """With bytecode kept: without it each of some hundred processes compiles every test anew."""
    base = {**context.env, **tools.environment(context)}
    base.pop("PYTHONDONTWRITEBYTECODE", None)
    return base
