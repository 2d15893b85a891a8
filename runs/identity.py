"""Whom a tool runs as: where we are root, a user who may do nothing."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """`uid` None means as ourselves, and `why` says so where we are root."""

    uid: int | None = None
    gid: int | None = None
    why: str = ""


def choose(executable: Path) -> Identity:
    """The unprivileged user where we are root and that user can read what the tool needs."""
    if os.geteuid() != 0:
        return Identity()
    with executable.open("rb") as file:
        first = file.readline(512)
    if first.startswith(b"#!"):
        interpreter = Path(os.fsdecode(first[2:].split()[0]))
        for path in (executable, interpreter.resolve()):
            if not _open_to_all(path):
                return Identity(why=f"runs as root: {path.name} is not open to the user nobody")
    nobody = pwd.getpwnam("nobody")
    return Identity(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.parents) and bool(
        path.stat().st_mode & 0o004
    )
