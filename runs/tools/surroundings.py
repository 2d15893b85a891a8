"""Around a tool: its environment, whom it trusts, and files that its script may have spoilt."""

import contextlib
import errno
import os
import ssl
import stat
from pathlib import Path

from runs.tools import Job


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


def read_left(path: Path, most: int) -> bytes:
    """A file of the work directory, where a foreign script may have put anything: a plain one.

    Raises OSError for a link, a pipe or a folder, and for more than so many bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, "too large", str(path))
    return content


def trusting(job: Job) -> dict[str, str]:
    """What lets OpenSSL, Go and requests trust the job's own authority beside the usual ones."""
    if job.ca is None:
        return {}
    usual = ssl.get_default_verify_paths().cafile
    bundle = job.ca.with_name("wedsync-trust.pem")
    with contextlib.suppress(FileExistsError), open(bundle, "xb") as file:  # follows no link
        known = Path(usual).read_bytes() if usual else b""
        file.write(known + b"\n" + read_left(job.ca, 1 << 20))
        os.fchmod(file.fileno(), 0o644)
    return dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(bundle))
