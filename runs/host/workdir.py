"""The folder in which a tool works, and what is said where a disk does not hold it.

Who works in one holds a lock on it (flock(2)), which ends with its process however that ends: so
a folder that nobody holds was left by a worker that was killed.
"""

import contextlib
import errno
import fcntl
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from runs.host.identity import Identity
from runs.tools import ToolProblem, placing
from runs.tools.surroundings import FOLDER


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
        _remove(path)
        os.close(lock)


def sweep() -> None:
    """Remove those that nobody holds; links, and what we may not open, are left alone."""
    for path in Path(tempfile.gettempdir()).glob(f"{placing.PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = _lock(path)
            _remove(path)
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
    descriptor = os.open(path, FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.stat()
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove(path: Path) -> None:
    """With all that is in it, as deep as a script made it: shutil.rmtree goes no deeper than Python
    recurses, and raises. Follows no link; what cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        top = os.open(path, FOLDER)
        try:
            while sum(_dissolve(name, top) for name in _folders_alone(top)):
                pass
        finally:
            os.close(top)
        path.rmdir()


def _dissolve(name: str, top: int) -> bool:
    """Its folders come up to the top, and it is gone. False where it stays."""
    with contextlib.suppress(OSError):
        folder = os.open(name, FOLDER, dir_fd=top)
        try:
            for inner in _folders_alone(folder):
                os.rename(inner, uuid.uuid4().hex, src_dir_fd=folder, dst_dir_fd=top)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=top)
        return True
    return False


def _folders_alone(folder: int) -> list[str]:
    """Those in it, once all else in it is removed."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        with contextlib.suppress(OSError):
            if not is_folder:
                os.unlink(name, dir_fd=folder)
            elif os.geteuid() != 0:  # a script of our own user may have closed it
                os.chmod(name, 0o700, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]
