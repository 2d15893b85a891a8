"""Loads a script into k6's archive and asks what it plans: its top level runs, no request."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runs.tools import Finished, Job, Shell, ToolProblem, k6_archive, k6_options
from runs.tools.k6_endings import useful_line

_LOAD_S = 30.0
_TYPED = "wedsync-script.ts"  # a name that no file of a run can have
_SUFFIXES = {".js", ".ts", ".mjs", ".cjs"}
_QUIET = ("--quiet", "--no-color", "--log-format", "raw")


def archive(k6: str, job: Job, shell: Shell, to: Path) -> None:
    """Raises ToolProblem ("script_invalid").

    k6 knows TypeScript by its ending, which a script that is sent as text has not: what is no
    JavaScript is tried as that, and where it is neither the first complaint counts.
    """
    script = _place(job)
    said = _archive(k6, job, shell, to, script)
    if said.code and _is_syntax_error(said) and script == job.script:
        typed = job.script.with_name(_TYPED)
        typed.write_bytes(job.script.read_bytes())
        typed.chmod(job.script.stat().st_mode)
        again = _archive(k6, job, shell, to, typed)
        said = said if _is_syntax_error(again) else again
    _expect(said, job)


def inspect(k6: str, job: Job, shell: Shell, archive: Path) -> Mapping[str, Any]:
    """k6's own plan of what it archived.

    `k6 inspect` forgets the one user that `k6 run` takes where a script counts iterations alone.
    """
    env = k6_options.environment(job)
    if k6_archive.counts_iterations_alone(archive):
        env["K6_VUS"] = "1"
    words = [*_QUIET, "--execution-requirements", *k6_options.variables(job)]
    return _read_plan(_expect(shell([k6, "inspect", *words, str(archive)], env, _LOAD_S), job))


def _place(job: Job) -> Path:
    """Among its files, where the same text lies there, so that ../ leads where it does by hand."""
    text = job.script.read_bytes()
    for folder, folders, names in os.walk(job.workdir):
        folders.sort()
        for path in sorted(Path(folder, name) for name in names):
            if path != job.script and path.suffix in _SUFFIXES and path.read_bytes() == text:
                return path
    return job.script


def _archive(k6: str, job: Job, shell: Shell, to: Path, script: Path) -> Finished:
    words = [*_QUIET, "--exclude-env-vars", *k6_options.config(job), *k6_options.variables(job)]
    argv = [k6, "archive", *words, "-O", str(to), str(script)]
    return shell(argv, k6_options.environment(job), _LOAD_S)


def _is_syntax_error(said: Finished) -> bool:
    return "SyntaxError" in said.stderr or "Unexpected" in said.stderr


def _expect(said: Finished, job: Job) -> Finished:
    if said.code == 0:
        return said
    line = useful_line(said.stderr).replace(f"file://{job.workdir}/", "")
    sentence = f"k6 cannot load the script: {line or f'it ended with code {said.code}'}"
    problem: dict[str, Any] = {"output": said.stderr, "exit_code": said.code}
    raise ToolProblem(sentence, code="script_invalid", **problem)


def _read_plan(said: Finished) -> Mapping[str, Any]:
    try:
        plan = json.loads(said.stdout)
    except ValueError:
        plan = None
    if not isinstance(plan, dict):
        raise ToolProblem("k6 inspected the script but its answer is not JSON.", code="tool_error")
    return plan
