"""Loads a script into k6's archive and asks what it plans: its top level runs, no request."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runs.tools import Finished, Job, Shell, ToolProblem, placing
from runs.tools.k6 import archives, options, sentences
from runs.tools.surroundings import put, read_left

_LOAD_S = 30.0
_TYPED = "wedsync-script.ts"  # a name that no file of a run can have
_SUFFIXES = {".js", ".ts", ".mjs", ".cjs"}
_QUIET = ("--quiet", "--no-color", "--log-format", "raw")


def archive(k6: str, job: Job, shell: Shell, to: Path) -> None:
    """Raises ToolProblem ("script_invalid").

    k6 knows TypeScript by its ending, which a script that is sent as text has not: what is no
    JavaScript is tried as that. Where it is neither, the first complaint counts, unless the second
    is of a later line: then the first was of a type.
    """
    text = read_left(job.script, placing.LARGEST)
    script = placing.find(job, text, _SUFFIXES)
    said = _archive(k6, job, shell, to, script or job.script)
    reached = sentences.syntax_error(said.stderr)
    if said.code and reached is not None and script is None:
        typed = put(job.workdir, _TYPED, text)
        again = _archive(k6, job, shell, to, typed)
        further = sentences.syntax_error(again.stderr)
        said = again if further is None or further > reached else said
    _expect(said)


def inspect(k6: str, job: Job, shell: Shell, archive: Path) -> Mapping[str, Any]:
    """k6's own plan of what it archived.

    `k6 inspect` forgets the one user that `k6 run` takes where a script counts iterations alone.
    """
    env = options.judging(job)
    if archives.counts_iterations_alone(archive):
        env["K6_VUS"] = "1"
    words = [*_QUIET, "--execution-requirements", *options.variables(job)]
    return _read_plan(_expect(shell([k6, "inspect", *words, str(archive)], env, _LOAD_S)))


def _archive(k6: str, job: Job, shell: Shell, to: Path, script: Path) -> Finished:
    words = [*_QUIET, "--exclude-env-vars", *options.config(job), *options.variables(job)]
    argv = [k6, "archive", *words, "-O", str(to), str(script)]
    return shell(argv, options.judging(job), _LOAD_S)


def _expect(said: Finished) -> Finished:
    if said.code == 0:
        return said
    if address := sentences.remote_import(said.stderr):
        sentence = (
            f"The script imports from {address}, and modules from elsewhere are not fetched. Bring "
            "that module among the run's files and import it from there."
        )
    else:
        line = sentences.useful_line(said.stderr) or f"it ended with code {said.code}"
        sentence = f"k6 cannot load the script: {line}"
    output = placing.plain(said.stderr)
    raise ToolProblem(sentence, code="script_invalid", output=output, exit_code=said.code)


def _read_plan(said: Finished) -> Mapping[str, Any]:
    try:
        plan = json.loads(said.stdout)
    except ValueError:
        plan = None
    if not isinstance(plan, dict):
        raise ToolProblem("k6 inspected the script but its answer is not JSON.", code="tool_error")
    return plan
