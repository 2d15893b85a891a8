"""The folder in which a tool works, and what is said where a disk does not hold it.

Who works in one holds a lock on it (flock(2)), which ends with its process however that ends: so
a folder that nobody holds was left by a worker that was killed.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from runs.host.identity import Identity
from runs.tools import ToolProblem, placing


@contextlib.contextmanager
def work_directory(who: Identity) -> Iterator[Path]:
    """An empty folder that belongs to the tool's user and is gone afterwards.

    Those that killed workers left are gone before.
    """
    sweep()
    try:
        path, lock = _make()
    except OSError as error:
        raise disk_problem(error) from error
    try:
        if who.uid is not None and who.gid is not None:
            os.chown(path, who.uid, who.gid)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def sweep() -> None:
    """Remove those that nobody holds; links, and what we may not open, are left alone."""
    for path in Path(tempfile.gettempdir()).glob(f"{placing.PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = _lock(path)
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def disk_problem(error: OSError) -> ToolProblem:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return ToolProblem(
            "The disk of this worker is full, so the script's work directory cannot be written. "
            "Make room there, then start the run again.",
            code="disk_full",
        )
    return ToolProblem(
        f"The script's work directory cannot be written: {error.strerror}. "
        "Look at the worker's disk, then start the run again.",
        code="disk_unwritable",
    )


def _make() -> tuple[Path, int]:
    """A new folder and its lock; one that a sweep took before it was locked is made again."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=placing.PREFIX))
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            return path, _lock(path)


def _lock(path: Path) -> int:
    """The folder is held until this is closed; no program that is started inherits it.

    Raises OSError where another holds it, where it is gone, and for what is no folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.stat()
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
