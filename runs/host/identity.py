"""Whom a tool runs as: where we are root, a user who may do nothing."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from runs.tools import ToolProblem


@dataclass(frozen=True)
class Identity:
    """`uid` None means as ourselves, and `why` says so where we are root."""

    uid: int | None = None
    gid: int | None = None
    why: str = ""


def choose(executable: Path) -> Identity:
    """The unprivileged user where we are root and that user can read what the tool needs.

    Raises ToolProblem ("tool_missing") for a program whose interpreter is gone.
    """
    interpreter = _interpreter(executable)
    if os.geteuid() != 0:
        return Identity()
    if interpreter:
        for path in (executable, interpreter.resolve()):
            if not _open_to_all(path):
                return Identity(why=f"runs as root: {path.name} is not open to the user nobody")
    nobody = pwd.getpwnam("nobody")
    return Identity(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _interpreter(executable: Path) -> Path | None:
    """What its first line names; None for a binary."""
    try:
        with executable.open("rb") as file:
            words = file.readline(512).split() if file.read(2) == b"#!" else []
        interpreter = Path(os.fsdecode(words[0])) if words else None
        missing = interpreter if interpreter and not interpreter.exists() else None
    except OSError:
        interpreter, missing = None, executable
    if missing:
        raise ToolProblem(
            f"{executable} cannot be started: {missing} is gone or cannot be read. An upgrade of "
            "Python or Node does this; run ./wedsync tools to install the tool anew.",
            code="tool_missing",
        )
    return interpreter


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.parents) and bool(
        path.stat().st_mode & 0o004
    )
