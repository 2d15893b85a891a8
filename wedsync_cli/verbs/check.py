"""Lint, types, contracts and the fast tests: yours, and the pre-commit hook's."""

import argparse

from wedsync_cli import bootstrap, checks, steps, tools
from wedsync_cli.words import FAILED, PASSED, Context

NAME = "check"
HELP = "Lint, types, import contracts and the fast tests, in under a minute."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.DEV_LOCK)
    done = base_steps(context)
    for text in steps.summary(done):
        context.say.line(text)
    return FAILED if any(step.failed for step in done) else PASSED


def base_steps(context: Context) -> list[steps.Done]:
    root, say = context.root, context.say
    base = {**context.env, **tools.environment(context)}
    done = steps.run_quietly(checks.still(root, context.venv), root=root, base=base, say=say)
    fast = checks.fast_suite(context.venv)
    return [*done, steps.run_aloud(fast, root=root, base=base, say=say)]
