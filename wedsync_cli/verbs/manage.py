"""manage.py over the data of the embedded stack: ./wedsync manage replay_verdict 12."""

import argparse
import subprocess

from wedsync_cli import bootstrap, children, datafolder
from wedsync_cli.words import Context

NAME = "manage"
HELP = "Runs a manage.py command on the embedded stack's data, such as verify_audit."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")


def run(context: Context, arguments: argparse.Namespace) -> int:
    data = datafolder.of_stack(context)
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)
    argv = [str(context.python), "manage.py", arguments.command, *arguments.rest]
    env = children.data_environment(data, context.env)
    return subprocess.run(argv, cwd=context.root, env=env).returncode
