"""Around a tool: its environment, whom it trusts, and a folder that its script may have spoilt."""

import contextlib
import errno
import os
import ssl
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from runs.tools import Job

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def scrubbed(job: Job, path: str, **more: str) -> dict[str, str]:
    """The whole environment of a tool: nothing of ours, so no setting or secret leaks into it."""
    return {
        "PATH": path,
        "HOME": str(job.workdir),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        **more,
    }


def open_left(path: Path) -> BinaryIO:
    """A file of the work directory, where a foreign script may have put anything: a plain one.

    Raises OSError for a link, a pipe or a folder.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a plain file", str(path))
    return open(descriptor, "rb")


def read_left(path: Path, most: int) -> bytes:
    """What is in it. Raises OSError as `open_left` does, and for more than so many bytes."""
    with open_left(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, "too large", str(path))
    return content


def put(workdir: Path, name: str | PurePath, content: bytes) -> Path:
    """Write a file of ours below a work directory, as `putting` does."""
    with putting(workdir, name) as file:
        file.write(content)
    return workdir / name


@contextlib.contextmanager
def putting(workdir: Path, name: str | PurePath) -> Iterator[BinaryIO]:
    """A file of ours below a work directory: once written, in the place of whatever is there.

    A script may have put links anywhere in it, and we may be root: none is followed, not even one
    that stands for the folder itself. The tool's user may read the file, and write beside it.
    """
    path = workdir / name
    folder = _opened(workdir)
    try:
        for part in path.relative_to(workdir).parts[:-1]:
            inner = _opened_in(folder, part)
            os.close(folder)
            folder = inner
        half = f"wedsync-{uuid.uuid4().hex}"
        descriptor = os.open(half, _NEW, 0o644, dir_fd=folder)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o644)
            yield file
        os.rename(half, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def _opened(path: str | Path, within: int | None = None) -> int:
    return os.open(path, FOLDER, dir_fd=within)


def _opened_in(folder: int, name: str) -> int:
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:
        return _opened(name, folder)
    made = _opened(name, folder)
    os.fchmod(made, 0o777)  # inside a work directory that is the tool's user's alone
    return made


def trusting(job: Job) -> dict[str, str]:
    """What lets OpenSSL, Go and requests trust the job's own authority beside the usual ones."""
    if job.ca is None:
        return {}
    usual = ssl.get_default_verify_paths().cafile
    bundle = job.ca.with_name("wedsync-trust.pem")
    if not os.path.lexists(bundle):
        known = Path(usual).read_bytes() if usual else b""
        put(job.workdir, bundle.name, known + b"\n" + read_left(job.ca, 1 << 20))
    return dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(bundle))
