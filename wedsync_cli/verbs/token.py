"""An API token of a demo person, alone on standard output: $(./wedsync token)."""

import argparse

from wedsync_cli import bootstrap, datafolder, stack
from wedsync_cli.words import PASSED, Context

NAME = "token"
HELP = "Issues a new API token of a demo person of the embedded stack at each call, and prints it."


def options(parser: argparse.ArgumentParser) -> None:
    who = "of another role than the engineer's"
    roles = datafolder.ROLES
    parser.add_argument("--as", dest="role", default="engineer", choices=roles, help=who)


def run(context: Context, arguments: argparse.Namespace) -> int:
    data = datafolder.of_stack(context)
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)
    print(stack.issue_token(context, data, arguments.role))
    return PASSED
