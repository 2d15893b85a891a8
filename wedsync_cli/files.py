"""Files that are either whole or absent, and one lock per place."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(name, mode)
    os.replace(name, path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in `path`; empty where there is none or it is no JSON object."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def digest_of(paths: Iterable[Path]) -> str:
    """Changes when a file's path, size or time of change does."""
    total = hashlib.sha256()
    for path in sorted(paths):
        stat = path.stat()
        total.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return total.hexdigest()


def lock(path: Path) -> TextIO | None:
    """An exclusive lock that lives as long as the file stays open, or None where it is taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
