"""Whether what is asked for can be a test at all."""

import re
from datetime import timedelta

from calendar_guard.rules import Verdict
from runs import belongings, targets, thresholds
from runs.models import MOST_SHARDS
from runs.request import Invalid, Request
from runs.tools import get_tool, tool_names
from runs.wording import RunWord

LONGEST = timedelta(hours=24)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class KeyReused(ValueError):
    """The idempotency key belongs to a different request."""


class RunRefused(Exception):
    """The wedding calendar said no; the refusal is kept as a run."""

    def __init__(self, run: RunWord, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.run, self.verdict = run, verdict


def check(request: Request) -> targets.Admitted:
    """What its target allows; raises Invalid for the first word that cannot be part of a test."""
    if request.tool not in tool_names():
        known = ", ".join(tool_names())
        raise Invalid("tool", f"{request.tool!r} is not a tool here; choose one of: {known}.")
    if _CONTROL.search(request.name):
        raise Invalid("name", "A name is one line of text, without control characters.")
    if not timedelta(seconds=1) <= request.duration <= LONGEST:
        raise Invalid("duration", "A test lasts between PT1S and PT24H.")
    if not request.script.strip():
        raise Invalid("script", "The script is empty.")
    if request.users is not None and request.users < 1:
        raise Invalid("users", "A test has at least one user.")
    if not 1 <= request.shards <= MOST_SHARDS:
        raise Invalid("shards", f"A test runs on 1 to {MOST_SHARDS} workers at once.")
    _check_thresholds(request.thresholds)
    belongings.check(request, get_tool(request.tool))
    return targets.admit(request)


def _check_thresholds(words: object) -> None:
    if not isinstance(words, list) or not all(isinstance(text, str) for text in words):
        raise Invalid("thresholds", 'Write a list of sentences: ["p95 > 800ms"].')
    if len(words) > thresholds.MOST:
        raise Invalid("thresholds", f"A test has at most {thresholds.MOST} thresholds.")
    try:
        for text in words:
            thresholds.parse(text)
    except thresholds.ThresholdError as error:
        raise Invalid("thresholds", str(error)) from None
