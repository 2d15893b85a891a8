"""Runs one benchmark and puts its figures beside the ones that were kept."""

import argparse
import json
import subprocess
from collections.abc import Mapping
from typing import Any, TypeGuard

from wedsync_cli import bootstrap, files, report, tools
from wedsync_cli.words import FAILED, PASSED, USAGE, Context, Problem

NAME = "bench"
HELP = (
    "Runs bench/NAME, shows its figures beside the baseline, ends with one line of JSON; fails"
    " where the benchmark says that a limit is broken."
)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    more = parser.add_argument("more", metavar="OPTIONS", nargs=argparse.REMAINDER)
    more.required, more.help = False, "options of its own"


def run(context: Context, arguments: argparse.Namespace) -> int:
    folder, name = context.root / "bench", arguments.name
    known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    if name not in known:
        then = f"Benchmarks: {', '.join(known) or 'none yet'}"
        raise Problem(f"There is no bench/{name}.py.", then=then, code=USAGE)
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.DEV_LOCK)
    done = subprocess.run(
        [str(context.python), str(folder / f"{name}.py"), *arguments.more],
        cwd=context.root,
        env={**context.env, **tools.environment(context), "PYTHONPATH": str(context.root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures = last_object(done.stdout)
    if not figures:
        raise Problem(f"bench/{name}.py ended with code {done.returncode} and gave no figures.")
    baseline = files.read_json(folder / f"{name}.baseline.json")
    for line in comparison(figures, baseline):
        context.say.line(line)
    print(json.dumps(figures))
    return FAILED if done.returncode else PASSED


def last_object(output: str) -> dict[str, Any]:
    """The JSON object on the last line; empty where there is none."""
    lines = output.strip().splitlines()
    try:
        data = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def comparison(figures: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[str]:
    now, then = flat(figures), flat(baseline)
    rows = [
        (name, _text(value), _text(then.get(name)), _ratio(value, then.get(name)))
        for name, value in now.items()
    ]
    return report.table(("figure", "now", "baseline", "ratio"), rows)


def flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested objects become dotted names."""
    found: dict[str, Any] = {}
    for name, value in figures.items():
        inner = isinstance(value, Mapping)
        found |= flat(value, f"{prefix}{name}.") if inner else {f"{prefix}{name}": value}
    return found


def _text(value: object) -> str:
    return report.number(value) if _is_number(value) else "-" if value is None else str(value)


def _ratio(now: object, then: object) -> str:
    return f"{now / then:.2f}" if _is_number(now) and _is_number(then) and then else "-"


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
