"""What a stack keeps between its runs, and how others find a stack that runs."""

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from wedsync_cli import files
from wedsync_cli.children import Place
from wedsync_cli.words import Context, Problem

ROLES = ("engineer", "coordinator", "ops")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_LAST_STACK_IS_CLEARED_S = 8.0


def keep_secrets(data: Path) -> None:
    """The secret key and the demo people's passwords, made once for each data folder.

    Nobody else may look in: the database holds the couples' names, and a script runs as `nobody`.
    """
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    if not (data / "secret_key").exists():
        files.write_whole(data / "secret_key", secrets.token_urlsafe(50))
    if not (data / "people.json").exists():
        files.write_whole(data / "people.json", json.dumps({role: _password() for role in ROLES}))


def people(data: Path) -> dict[str, str]:
    return {str(name): str(word) for name, word in files.read_json(data / "people.json").items()}


def running_stack(context: Context) -> dict[str, Any]:
    """The one that started last, else another that still runs; empty where none does."""
    paths = (context.state / "stack.json", *sorted(context.state.glob("*/running.json")))
    stacks = (files.read_json(path) for path in paths)
    return next((stack for stack in stacks if _is_alive(stack.get("pid"))), {})


def lock(data: Path) -> TextIO:
    """Only one stack per data folder; after a kill -9 the last one is cleared for a moment yet."""
    deadline = time.monotonic() + _LAST_STACK_IS_CLEARED_S
    while (held := files.lock(data / "lock")) is None:
        first = files.read_json(data / "running.json")
        if _is_alive(first.get("pid")) or time.monotonic() > deadline:
            where = f" at {first['url']} (pid {first['pid']})" if first else ""
            raise Problem(
                f"This stack already runs{where}.",
                then="Use that one, or stop it there with Ctrl-C first.",
            )
        time.sleep(0.1)
    return held


@contextlib.contextmanager
def announced(context: Context, place: Place, verb: str) -> Iterator[None]:
    """While it runs, stack.json in .wedsync and running.json in its data say where a stack is."""
    word = {
        "url": place.url,
        "port": place.port,
        "pid": os.getpid(),
        "verb": verb,
        "data": str(place.data),
    }
    paths = (context.state / "stack.json", place.data / "running.json")
    for path in paths:
        files.write_whole(path, json.dumps(word))
    try:
        yield
    finally:
        for path in paths:
            if files.read_json(path).get("pid") == os.getpid():
                path.unlink(missing_ok=True)


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def of_stack(context: Context) -> Path:
    """Where the stack that runs keeps its data, else that of `up`, else the demo's.

    Raises Problem where there is none.
    """
    if running := running_stack(context):
        return Path(running["data"])
    for data in (context.state / "data", context.state / "demo"):
        if (data / "people.json").exists():
            return data
    raise Problem(
        "There is no embedded stack yet, so there are no people and no calendar.",
        then="Start one with ./wedsync up (or demo), then ask again.",
    )
