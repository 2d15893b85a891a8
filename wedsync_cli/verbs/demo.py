"""The product in one minute: asks the calendar, runs the guest rush, shows the verdict."""

import argparse
import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wedsync_cli import artillery, bootstrap, follow, report, stack, tools
from wedsync_cli.children import Place
from wedsync_cli.client import Client, Refusal
from wedsync_cli.stack import Running, Wanted
from wedsync_cli.supervise import Interrupted, Signals
from wedsync_cli.verbs import up
from wedsync_cli.words import ABORTED, REFUSED, Context, Problem

NAME = "demo"
HELP = "Runs the guest rush against a sample site, live in a browser; a minute in all."
DURATION = "PT1M10S"
SCRIPTS = {
    "artillery": "examples/artillery/guest-rush.yml",
    "k6": "examples/k6/guest_rush.js",
    "locust": "examples/locust/guest_rush.py",
}


def options(parser: argparse.ArgumentParser) -> None:
    up.options(parser)
    parser.add_argument("--tool", choices=sorted(SCRIPTS), help="k6 where it is there, else Locust")
    parser.add_argument("--oneshot", action="store_true", help="end with the verdict's exit code")


def run(context: Context, arguments: argparse.Namespace) -> int:
    wanted = Wanted(
        verb=NAME,
        data=context.state / "demo",
        port=arguments.port,
        at=stack.instant(arguments.at) if arguments.at else None,
        with_guest_site=True,
        options=" ".join((*_options(arguments), *_given(at=arguments.at))),
    )
    stack.require_free(context, wanted)
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)
    tool = _choose_tool(context, arguments.tool)
    signals, code = Signals(), ABORTED
    with (
        signals.watched(),
        contextlib.suppress(Interrupted),
        stack.running(context, wanted, signals) as demo,
    ):
        stack.greet(context, demo.place)
        code = _show(context, demo, tool, arguments)
        if not arguments.oneshot:
            context.say.line("\nThe stack stays up for you to look around; Ctrl-C stops it.")
            up.wait()
    return code


def _choose_tool(context: Context, asked: str | None) -> str:
    """The demo never compiles: k6 where it is there, else Locust, installed now."""
    k6 = tools.find_k6(context.env)
    if asked == "k6" and k6 is None:
        then = "Run ./wedsync tools first, which builds it, or leave --tool away for Locust."
        raise Problem("k6 is not on this machine yet.", then=then)
    tool = asked or ("k6" if k6 else "locust")
    if tool == "locust":
        tools.ensure_locust(context)
    if tool == "artillery":
        artillery.ensure(context)
    return tool


def command(arguments: argparse.Namespace, *, at: str | None = None) -> str:
    """This demo again, with the options that were given."""
    port = arguments.port if arguments.port != up.PORT else None
    words = (*_given(port=port), *_options(arguments), *_given(at=at))
    return " ".join(("./wedsync demo", *words))


def _options(arguments: argparse.Namespace) -> tuple[str, ...]:
    return (*_given(tool=arguments.tool), *(("--oneshot",) if arguments.oneshot else ()))


def _given(**options: object) -> tuple[str, ...]:
    given = ((name, value) for name, value in options.items() if value is not None)
    return tuple(f"--{name} {shlex.quote(str(value))}" for name, value in given)


def _show(context: Context, demo: Running, tool: str, arguments: argparse.Namespace) -> int:
    say, place = context.say, demo.place
    client = Client(f"http://127.0.0.1:{place.port}", token=demo.token)
    say.line(f"The calendar says: {client.window(DURATION)['reason']}")
    try:
        run = client.start(_wanted_run(place, tool))
    except Refusal as refusal:
        if refusal.problem.get("code") != "calendar_refused":
            raise Problem("The run was not accepted.", why=str(refusal)) from None
        return _show_refusal(context, demo, refusal, arguments)
    say.line(f"The guest rush runs with {tool}; watch it at {place.url}/runs/{run['id']}/")
    with _told(context):
        run = follow.until_over(context.say, client, run["id"])
    say.line()
    for text in report.run_lines(run):
        say.line(text)
    say.line(f"\nThe whole report: {_where(place, run['id'], arguments)}")
    return report.exit_code(run.get("verdict"))


def _wanted_run(place: Place, tool: str) -> dict[str, Any]:
    return {
        "name": "The Saturday guest rush",
        "tool": tool,
        "script": (place.root / SCRIPTS[tool]).read_text(encoding="utf-8"),
        "target": f"http://127.0.0.1:{place.guest_port}",
        "duration": DURATION,
        "users": 20,
        "thresholds": ["p95 > 800ms", "errors > 1%"],
    }


@contextlib.contextmanager
def _told(context: Context) -> Iterator[None]:
    """A run that somebody ends here says so before the stack stops."""
    try:
        yield
    except Interrupted as signal:
        who = "you pressed Ctrl-C" if str(signal) == "SIGINT" else f"{signal} arrived"
        context.say.line(f"\nAborted: {who}; the run's verdict is kept.")
        raise


def _where(place: Place, run_id: object, arguments: argparse.Namespace) -> str:
    """A page only where it outlives the command."""
    if arguments.oneshot:
        words = {**vars(arguments), "oneshot": False, "tool": None}
        again = command(argparse.Namespace(**words))
        return f"kept in the history: {again} shows it again"
    return f"{place.url}/runs/{run_id}/"


def _show_refusal(
    context: Context, demo: Running, refusal: Refusal, arguments: argparse.Namespace
) -> int:
    say, problem = context.say, refusal.problem
    say.line(f"Refused: {problem.get('detail')}")
    for text in report.calendar_lines(problem):
        say.line(text)
    say.line(f"  The refusal: {_where(demo.place, problem.get('run'), arguments)}")
    afresh = f"rm -r {shlex.quote(str(_from(context.root, demo.place.data)))}"
    if by_hand := report.by_hand_line(problem.get("blockers", ()), demo.by_hand, afresh=afresh):
        say.line(by_hand)
    if window := problem.get("next_safe_window"):
        say.line("This is the product working. To see the rush run, move the clock:")
        say.line(f"  {command(arguments, at=window['start'])}")
    return REFUSED


def _from(root: Path, path: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
