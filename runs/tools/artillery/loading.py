"""Lets Artillery load a script and say what it comes to; what hinders it is told in words."""

import re
from collections.abc import Mapping

from runs.tools import Finished, Job, Shell, ToolProblem
from runs.tools.artillery import endings, installed, plans, scripts
from runs.tools.surroundings import read_left

_LOAD_S = 30.0
_STARTED = "Test run id"  # Artillery's own first words, before it opens the script
_MODULES = {".js", ".ts"}
_CONFIG = (
    "it has no “config”. A script is a mapping of “config”, which says in “phases” how many users "
    "come, and “scenarios”, which say what each of them does."
)
_SCENARIOS = (
    "it has no scenarios, so nobody would do anything. Write what a user does: scenarios: "
    '[{flow: [{get: {url: "/"}}]}].'
)
_CLEARER = (
    (r"Cannot read properties of (undefined|null) \(reading 'target'\)$", _CONFIG),
    (r"Cannot create property 'target' on \w+ ", _CONFIG),
    (r'Scenario validation error: "scenarios" (is required|must be an array)$', _SCENARIOS),
)
"""What Artillery says of a script without its parts: often JavaScript's own words."""


def plan(
    argv: list[str], env: Mapping[str, str], job: Job, shell: Shell
) -> tuple[plans.Plan, Finished]:
    """The plan, and what was said meanwhile. Raises ToolProblem, mostly "script_invalid"."""
    file = job.workdir / scripts.PLAN
    file.unlink(missing_ok=True)
    said = _load(argv, env, shell)
    try:
        data = read_left(file, scripts.LARGEST)
    except OSError:
        raise _problem(said, job, entry=argv[1]) from None
    found = plans.read(data)
    if not found.scenarios:
        raise _unloadable(_SCENARIOS, said)
    return found, said


def _load(argv: list[str], env: Mapping[str, str], shell: Shell) -> Finished:
    try:
        return shell(argv, env, _LOAD_S)
    except ToolProblem as problem:
        if problem.code == "script_hangs":
            problem.args = (
                f"Artillery did not finish loading the script within {_LOAD_S:g} s. A module that "
                "loops at its top level does this, and YAML whose anchors (&, *) come to millions "
                "of values.",
            )
        raise


def _problem(said: Finished, job: Job, *, entry: str) -> ToolProblem:
    words = f"{said.stdout}\n{said.stderr}"
    line = endings.useful_line(words.replace(f"{job.workdir}/", ""))
    if said.code == 0 and _STARTED not in words:
        return ToolProblem(
            f"What is installed as Artillery ({entry}) ended without loading the script"
            f"{f', saying “{line}”' if line else ''}. Run ./wedsync tools to get Artillery "
            f"{installed.VERSION}, and see what WEDSYNC_ARTILLERY or PATH names.",
            code="tool_error",
            output=words,
            exit_code=said.code,
        )
    is_module = scripts.place(job).suffix in _MODULES
    return _unloadable(_clearer(line, is_module) or f"it ended with code {said.code}", said)


def _unloadable(why: str, said: Finished) -> ToolProblem:
    return ToolProblem(
        f"Artillery cannot load the script: {why}",
        code="script_invalid",
        output=f"{said.stdout}\n{said.stderr}",
        exit_code=said.code,
    )


def _clearer(line: str, is_module: bool) -> str:
    """A module's own code may fail in the same words, so of that both are told."""
    for pattern, words in _CLEARER:
        if re.match(pattern, line):
            return f"{line}. If its code does not say that, {words}" if is_module else words
    return line
