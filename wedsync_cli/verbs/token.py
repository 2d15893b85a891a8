"""An API token of the demo engineer, alone on standard output: $(./wedsync token)."""

import argparse
from pathlib import Path

from wedsync_cli import bootstrap, datafolder, stack
from wedsync_cli.words import PASSED, Context, Problem

NAME = "token"
HELP = "Issues a new API token of the embedded stack's demo engineer at each call, and prints it."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    running = datafolder.running_stack(context)
    data = Path(running.get("data") or context.state / "data")
    if not (data / "people.json").exists():
        raise Problem(
            "There is no embedded stack yet, so nobody to give a token to.",
            then="Start one with ./wedsync up (or demo), then ask again.",
        )
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)
    print(stack.issue_token(context, data))
    return PASSED
