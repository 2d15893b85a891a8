"""Where a script is run from: among its run's files, where the same text lies there, so that ../
leads from it where it does by hand. And how that place is told: files by their names alone.
"""

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from runs.tools import Job
from runs.tools.surroundings import read_left

PREFIX = "wedsync-work-"
"""Of the name of a work directory."""
LARGEST = 32 << 20  # a script has 16 MiB at most
_PATH = r"(?:file://)?/(?:[^\s/'\"]{1,99}/){0,19}"
_FOLDER = re.compile(rf"{_PATH}{PREFIX}\w+(/|\b)")
_OURS = re.compile(rf"(?:{_PATH})?\bwedsync[-_](?:script\.(?:ts\.js|\w+)|archive\.tar)")


def find(job: Job, text: bytes, suffixes: Collection[str]) -> Path | None:
    """The first file of the run that is this text; None where none is. Never through a link."""
    for path in _brought(job, suffixes):
        if _holds(path, text):
            return path
    return None


def plain(text: str) -> str:
    """Without the work directory, and “the script” for the names that only it has there."""
    text = _FOLDER.sub(lambda found: "" if found[1] else "the work directory", text)
    return _OURS.sub("the script", text)


def folders(workdir: Path) -> Iterator[Path]:
    """Those of the run's files: no link, none of ours, no installed packages."""
    for root, names, _ in os.walk(workdir):
        inside = [name for name in sorted(names) if not name.startswith("wedsync")]
        names[:] = [name for name in inside if name != "node_modules"]
        yield from (Path(root) / name for name in names if not (Path(root) / name).is_symlink())


def _brought(job: Job, suffixes: Collection[str]) -> Iterator[Path]:
    """What may be a script, in order; a link among it is not read."""
    for folder in (job.workdir, *folders(job.workdir)):
        for path in sorted(folder.iterdir()):
            is_file = path.suffix in suffixes and path.is_file()
            if is_file and (path.parent, path.stem) != (job.workdir, job.script.stem):
                yield path


def _holds(path: Path, text: bytes) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_size == len(text) and read_left(path, LARGEST) == text
    return False
