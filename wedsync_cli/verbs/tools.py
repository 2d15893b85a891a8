"""Installs what the tests drive; says what it could not."""

import argparse

from wedsync_cli import artillery, tools
from wedsync_cli.words import BROKEN, PASSED, Context

NAME = "tools"
HELP = "Installs what the tests need: k6, Locust, Artillery, Chromium, nginx, faketime."


def options(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(context: Context, arguments: argparse.Namespace) -> int:
    k6 = tools.ensure_k6(context)
    context.say.line(f"k6: {k6}")
    examples = tools.ensure_k6_examples(context)
    context.say.line(f"k6's examples: {examples or 'skipped, they come with Go'}")
    context.say.line(f"Locust: {tools.ensure_locust(context)}")
    context.say.line(f"Artillery: {artillery.ensure(context)}")
    missing = tools.ensure_packages(context)
    if missing:
        context.say.line(f"Still missing: {', '.join(missing)}. Run this line, then again:")
        context.say.line(f"  {tools.install_line(missing)}")
        return BROKEN
    context.say.line(f"From the system's packages: {', '.join(tools.PACKAGES)}")
    return PASSED
