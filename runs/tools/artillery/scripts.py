"""The script as Artillery is given it: where it lies, and the options of the command line."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runs.tools import Job, ToolProblem, placing, surroundings
from runs.tools.artillery import plans, shards

PLAN = "wedsync-plan.json"
LARGEST = placing.LARGEST
OPTIONS = {
    "ARTILLERY_ENVIRONMENT": "--environment",
    "ARTILLERY_CONFIG": "--config",
    "ARTILLERY_SCENARIO_NAME": "--scenario-name",
    "ARTILLERY_OVERRIDES": "--overrides",
    "ARTILLERY_DOTENV": "--dotenv",
}
"""The run's variables that stand for an option, https://www.artillery.io/docs/reference/cli/run."""
_SUFFIXES = {".yml", ".yaml", ".json", ".js", ".ts"}
_MODULE = re.compile(
    r"^(export\s+(const|let|var|default|async|function|class|\{)|module\.exports|exports\.)",
    re.MULTILINE,
)


def put(job: Job) -> None:
    """Where Artillery looks for it."""
    if (script := place(job)) != job.script and script.parent == job.workdir:
        surroundings.put(job.workdir, script.name, _own(job.script))


def place(job: Job) -> Path:
    """Among its files, where the same text lies there, so that ../ leads where it does by hand.

    Else beside them, under the name by which Artillery knows a module from YAML and JSON.
    """
    text = _own(job.script)
    if found := placing.find(job, text, _SUFFIXES):
        return found
    is_module = _MODULE.search(text.decode("utf-8", "replace"))
    return job.script.with_suffix(".ts") if is_module else job.script


def variables(job: Job) -> dict[str, str]:
    """Without those that stand for an option."""
    return {name: value for name, value in job.variables.items() if name not in OPTIONS}


def options(job: Job) -> Iterator[str]:
    for name, option in OPTIONS.items():
        if name in job.variables and option != "--overrides":
            yield from (option, job.variables[name])


def overrides(job: Job, *, is_part: bool) -> tuple[str, ...]:
    """The run's own, and for a shard its part of the phases, from the plan of the whole script."""
    said = job.variables.get("ARTILLERY_OVERRIDES")
    whole = _read_overrides(said) if said else {}
    if not is_part or job.shard[1] == 1:
        return ("--overrides", said) if said else ()
    phases = plans.read(_own(job.workdir / PLAN)).phases
    part = {"phases": shards.divide(phases, shards.Part(*job.shard))}
    return "--overrides", json.dumps({**whole, "config": {**whole.get("config", {}), **part}})


def refuse_missing(job: Job) -> None:
    """Raises ToolProblem where the file of a config is not there: Artillery says only its path."""
    name = job.variables.get("ARTILLERY_CONFIG")
    if name and not _is_brought(job, name):
        raise ToolProblem(
            f"ARTILLERY_CONFIG says “{name}”, and no file of the run has that name. Bring it among "
            "the run's files, or say the name of one that is there, from the top of their folder.",
            code="script_invalid",
        )


def _is_brought(job: Job, name: str) -> bool:
    try:
        found = (job.workdir / name).resolve(strict=True)
        return found.is_file() and found.is_relative_to(job.workdir.resolve())
    except OSError:
        return False


def _read_overrides(said: str) -> dict[str, Any]:
    """Raises ToolProblem: Artillery takes a number or a list, and changes nothing or fails."""
    why = "it is no JSON object"
    try:
        whole = json.loads(said)
    except (ValueError, RecursionError) as error:
        why = f"it is no JSON ({error})"
    else:
        if isinstance(whole, dict):
            if isinstance(whole.get("config", {}), dict):
                return whole
            why = "its “config” is no JSON object"
    raise ToolProblem(
        f"ARTILLERY_OVERRIDES cannot be read: {why}. Write what replaces parts of the script, "
        'as in {"config": {"phases": [{"duration": 60, "arrivalRate": 5}]}}.',
        code="script_invalid",
    )


def _own(path: Path) -> bytes:
    """Raises ToolProblem where the script's own code has put something else there."""
    try:
        return surroundings.read_left(path, LARGEST)
    except OSError as error:
        raise ToolProblem(
            "A file that WedSync put beside the script is no longer the one that was put there "
            f"({error.strerror}): the script changed it while it was loaded. Let it leave alone "
            "what has a name that begins with “wedsync”.",
            code="script_invalid",
        ) from None
