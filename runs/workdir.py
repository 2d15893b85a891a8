"""The folder in which a tool works, and what is said where a disk does not hold it."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from runs.identity import Identity
from runs.tools import ToolProblem


@contextlib.contextmanager
def work_directory(who: Identity) -> Iterator[Path]:
    """An empty folder that belongs to the tool's user and is gone afterwards."""
    try:
        path = Path(tempfile.mkdtemp(prefix="wedsync-run-"))
    except OSError as error:
        raise disk_problem(error) from error
    try:
        if who.uid is not None and who.gid is not None:
            os.chown(path, who.uid, who.gid)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


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
