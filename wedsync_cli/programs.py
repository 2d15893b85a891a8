"""Programs of others: those that a person's variable names, and how one is run to its end."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from wedsync_cli.words import Problem, last_words


def named(env: Mapping[str, str], variable: str) -> Path | None:
    """The program that the variable names, None where it is not set. Raises Problem."""
    path = env.get(variable)
    if not path:
        return None
    if os.access(path, os.X_OK) and not os.path.isdir(path):
        return Path(path)
    raise Problem(f"{variable} names {path}, which is no program.", then="Correct or unset it.")


def run(
    argv: Sequence[str],
    *,
    failed: str,
    then: str,
    env: Mapping[str, str],
    cwd: Path,
    umask: int = -1,
) -> str:
    """Returns what it printed; where it fails, raises `failed` with its last words as Problem."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        umask=umask,
    )
    if done.returncode:
        said = (last_words(done.stdout), last_words(done.stderr))
        raise Problem(failed, why="\n".join(filter(None, said)), then=then)
    return done.stdout
