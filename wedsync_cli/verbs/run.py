"""A plan file's test, over the REST API of a stack that runs; what CI calls."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wedsync_cli import bootstrap, datafolder, files, junit, plans, report, stack
from wedsync_cli.client import Client
from wedsync_cli.errand import Errand, Refused
from wedsync_cli.words import PASSED, REFUSED, USAGE, Context, Problem

NAME = "run"
HELP = "Starts the test of a plan file; --wait ends with its verdict's exit code, for CI."
_UNNAMED = "Put a token into WEDSYNC_TOKEN; on the product's machine ./wedsync token prints one."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN.yml", type=Path, help="docs/ci.md tells its words")
    parser.add_argument("--wait", action="store_true", help="until it is over; Ctrl-C stops it")
    parser.add_argument("--junit", metavar="OUT.xml", type=Path, help="with --wait: a JUnit report")
    parser.add_argument("--dry-run", action="store_true", help="read the script, send nothing")
    parser.add_argument("--url", help="of the product; else WEDSYNC_URL, else the stack here")
    parser.add_argument("--token", help="better WEDSYNC_TOKEN; the stack here needs none")


def run(context: Context, arguments: argparse.Namespace) -> int:
    waits, out = arguments.wait or arguments.dry_run, arguments.junit
    if out and not waits:
        raise Problem("--junit needs --wait: it tells how the run ended.", code=USAGE)
    bootstrap.ensure(context, venv=context.venv, lock=bootstrap.RUN_LOCK)
    wanted = plans.read(context, arguments.plan)
    if arguments.dry_run:
        wanted["dry_run"] = True
    if out:
        _clear(out)
    errand = _find_product(context, arguments)
    try:
        found, code = errand.do(wanted, waits=waits)
    except Refused as refused:
        return _tell_refusal(context, errand, refused.problem, out)
    if code is None:
        return PASSED
    context.say.line()
    for text in (*report.run_lines(found), *report.dry_lines(found)):
        context.say.line(text)
    context.say.line(f"\nThe whole report: {errand.page(found['id'])}")
    _write(out, found, errand)
    return code


def _tell_refusal(
    context: Context, errand: Errand, problem: Mapping[str, Any], out: Path | None
) -> int:
    context.say.line(f"Refused: {problem.get('detail')}")
    for text in report.calendar_lines(problem):
        context.say.line(text)
    run_id = str(problem.get("run"))
    context.say.line(f"  The refusal: {errand.page(run_id)}")
    if out:
        _write(out, errand.look_at(run_id), errand)
    return REFUSED


def _find_product(context: Context, arguments: argparse.Namespace) -> Errand:
    """Where it is named, else the embedded stack that runs here."""
    token = arguments.token or context.env.get("WEDSYNC_TOKEN", "")
    if url := arguments.url or context.env.get("WEDSYNC_URL", ""):
        client = _client(url, token)
        if not token:
            raise Problem(f"There is no token for {url}.", then=_UNNAMED, code=USAGE)
        return Errand(context.say, client, url=url.rstrip("/"))
    here = datafolder.running_stack(context)
    if not here:
        then = "Start one with ./wedsync up, or name another: --url or WEDSYNC_URL."
        raise Problem("No WedSync runs on this machine.", then=then)
    token = token or stack.issue_token(context, Path(here["data"]))
    client = _client(f"http://127.0.0.1:{here['port']}", token)
    return Errand(context.say, client, url=here["url"])


def _client(url: str, token: str) -> Client:
    try:
        return Client(url, token=token)
    except ValueError as error:
        raise Problem(str(error), code=USAGE) from None


def _clear(out: Path) -> None:
    """So that no report of an earlier run is taken for this one's."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.unlink(missing_ok=True)
    except OSError as error:
        raise Problem(f"{out} cannot be written: {error.strerror}.", code=USAGE) from None


def _write(out: Path | None, found: Mapping[str, Any], errand: Errand) -> None:
    if not out:
        return
    try:
        files.write_whole(out, junit.write(found, page=errand.page(found["id"])), mode=0o644)
    except OSError as error:
        raise Problem(f"{out} cannot be written: {error.strerror}.") from None
