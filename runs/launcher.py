"""Becomes the tool: gives up root, ties its life to the worker's, then executes the command.

Run as `python -I -S launcher.py TERMS argv...` (TERMS: {"parent": 1, "uid": null, "gid": null}):
work between fork and exec is not safe in a worker that has threads. Changing the user clears the
parent-death signal (prctl(2)), so the order of the steps matters.
"""

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
LARGEST_FILE = 256 << 20  # pipes are not files: samples are not limited by it


def main() -> None:
    terms, argv = json.loads(sys.argv[1]), sys.argv[2:]
    program: int | str = argv[0]
    if terms["uid"] is not None:
        if _is_binary(argv[0]):
            # By descriptor: the unprivileged user need not be able to walk to the file.
            program = os.open(argv[0], os.O_RDONLY)
        os.setgroups([])
        os.setgid(terms["gid"])
        os.setuid(terms["uid"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != terms["parent"]:
            sys.exit("The worker died before the tool began.")
    try:
        os.execve(program, argv, os.environ)
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be executed: {error.strerror}.")


def _is_binary(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) != b"#!"


if __name__ == "__main__":
    main()
