"""Secrets of scripts, by reference: from the environment of this worker, or from a file."""

import os
from collections.abc import Mapping
from pathlib import Path

from runs import belongings
from runs.redaction import SHORTEST
from runs.tools import ToolProblem


def read(references: Mapping[str, str]) -> dict[str, str]:
    """The value of each name. Raises ToolProblem ("secret_missing"), which never holds a value."""
    return {name: _read(name, reference) for name, reference in references.items()}


def _read(name: str, reference: str) -> str:
    variable = belongings.check_reference(name, reference)
    value = os.environ.get(variable) or _from_folder(reference)
    if value is None:
        raise ToolProblem(
            f"The secret “{reference}” for {name} is not known on this worker. Set {variable} "
            f"there, or put a file {reference} into the folder that WEDSYNC_SECRET_FOLDER names.",
            code="secret_missing",
        )
    if len(value) < SHORTEST or "\0" in value:
        raise ToolProblem(
            f"The secret “{reference}” is shorter than {SHORTEST} characters or no text, so it "
            "cannot be kept out of the log. Make a longer one.",
            code="secret_unfit",
        )
    return value


def _from_folder(reference: str) -> str | None:
    folder = os.environ.get("WEDSYNC_SECRET_FOLDER")
    if not folder:
        return None
    try:
        return (Path(folder) / reference).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, ValueError):
        return None
