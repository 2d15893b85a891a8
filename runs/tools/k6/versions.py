"""Which k6 this is, and whether it is one that is known here."""

import re
from collections.abc import Mapping

from runs.tools import Finished, Shell, ToolProblem
from runs.tools.k6.sentences import useful_line

VERSION = "1.8.1"
_MAJORS = ("1", "2")
_SHORT_S = 10.0
_ADVICE = f"Run ./wedsync tools to get {VERSION}, or let WEDSYNC_K6 name it."


def ask(k6: str, env: Mapping[str, str], shell: Shell) -> str:
    """Raises ToolProblem ("tool_error" or "tool_unknown_version")."""
    said = _ask(k6, env, shell)
    found = re.search(r"v(\d+\.\d+\.\d+\S*)", said.stdout)
    if said.code or not found:
        raise _no_start(_why(said))
    if found[1].partition(".")[0] not in _MAJORS:
        raise ToolProblem(
            f"k6 {found[1]} is not known here; versions {' and '.join(_MAJORS)} are. {_ADVICE}",
            code="tool_unknown_version",
        )
    return found[1]


def _ask(k6: str, env: Mapping[str, str], shell: Shell) -> Finished:
    try:
        return shell([k6, "version"], env, _SHORT_S)
    except ToolProblem as problem:
        if problem.code != "script_hangs":
            raise
        why = f"asked for its version, it did not answer within {_SHORT_S:g} s"
        raise _no_start(why) from problem


def _why(said: Finished) -> str:
    if said.code < 0:
        return f"it was killed (signal {-said.code}), most often for want of memory"
    if line := useful_line(said.stderr):
        return line
    if said.code:
        return f"it ended with code {said.code} and said nothing"
    return "asked for its version, it named none"


def _no_start(why: str) -> ToolProblem:
    return ToolProblem(f"k6 does not start: {why.rstrip('.')}. {_ADVICE}", code="tool_error")
