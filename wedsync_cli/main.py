"""./wedsync VERB: reads the command line, runs the verb, tells failures in sentences."""

import argparse
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn, Protocol

from wedsync_cli.say import Say
from wedsync_cli.verbs import bench, check, demo, manage, run, test, token, tools, up
from wedsync_cli.words import ABORTED, USAGE, Context, Problem


class Verb(Protocol):
    NAME: str
    HELP: str

    def options(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, context: Context, arguments: argparse.Namespace) -> int: ...


VERBS: tuple[Verb, ...] = (demo, up, run, test, check, tools, bench, token, manage)
# Their standard output is an answer for programs, so our own lines go beside it.
_ANSWERS = ("token", "bench", "manage")


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        words = message[:1].upper() + message[1:].rstrip(".")
        raise Problem(f"{words}.", then=f"{self.prog} --help says how it is used.", code=USAGE)


def main(arguments: Sequence[str] | None = None, *, env: Mapping[str, str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    say = Say(sys.stderr if arguments[:1] and arguments[0] in _ANSWERS else sys.stdout)
    root = Path(__file__).resolve().parent.parent
    context = Context(root=root, env=env or dict(os.environ), say=say)
    try:
        return _run(context, arguments)
    except Problem as problem:
        Say(sys.stderr).line(str(problem))
        return problem.code
    except KeyboardInterrupt:
        say.line("Interrupted.")
        return ABORTED


def _run(context: Context, arguments: Sequence[str]) -> int:
    verbs = {verb.NAME: verb for verb in VERBS}
    if not arguments:
        _parser().print_help()
        return USAGE
    first = arguments[0]
    if not first.startswith("-") and first not in verbs:
        near = get_close_matches(first, verbs, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        known = ", ".join(verbs)
        raise Problem(f"There is no ./wedsync {first}.{hint}", then=f"Verbs: {known}", code=USAGE)
    parsed = _parser().parse_args(arguments)
    return verbs[parsed.verb].run(context, parsed)


def _version() -> str:
    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    facts = tomllib.loads(project.read_text(encoding="utf-8"))
    return f"WedSync {facts['project']['version']}"


def _parser() -> Parser:
    parser = Parser(prog="./wedsync", description="Load tests that never touch a wedding.")
    parser.add_argument("--version", action="version", version=_version())
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        verb.options(subparsers.add_parser(verb.NAME, help=verb.HELP, description=verb.HELP))
    return parser
