"""The embedded stack, without the demo, until Ctrl-C."""

import argparse
import shlex
import threading

from wedsync_cli import bootstrap, stack, tools
from wedsync_cli.stack import Wanted
from wedsync_cli.supervise import Interrupted, Signals
from wedsync_cli.words import PASSED, USAGE, Context, Problem

NAME = "up"
PORT = 8080
HELP = "Runs the embedded stack on localhost until Ctrl-C; data stays in .wedsync/data."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=port, default=PORT, help=f"where the pages are ({PORT})")
    parser.add_argument("--at", metavar="INSTANT", help="moves the clock: an ISO instant, +02:00")


def run(context: Context, arguments: argparse.Namespace) -> int:
    wanted = Wanted(
        verb=NAME,
        data=context.state / "data",
        port=arguments.port,
        at=stack.instant(arguments.at) if arguments.at else None,
        options=f"--at {shlex.quote(arguments.at)}" if arguments.at else "",
    )
    stack.require_free(context, wanted)
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)
    if tools.find_k6(context.env) is None:
        tools.ensure_locust(context)
    signals = Signals()
    with signals.watched():
        try:
            with stack.running(context, wanted, signals) as up:
                stack.greet(context, up.place)
                context.say.line("Ctrl-C stops it.")
                wait()
        except Interrupted:
            pass
    return PASSED


def wait() -> None:
    """Until a signal raises Interrupted."""
    threading.Event().wait()


def port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Problem(f"--port takes a number from 1 to 65535, not {text!r}.", code=USAGE)
    return int(text)
