"""Becomes the tool: leaves our network, gives up root, ties its life to the worker's, executes.

Run as `python -I -S launcher.py TERMS argv...` (TERMS: {"parent": 1, "uid": null, "gid": null,
"memory": bytes, "file": bytes, "fence": null or what namespace.enter takes}): work between fork and
exec is not safe in a worker that has threads. Changing the user clears the parent-death signal
(prctl(2)), so the order of the steps matters.
"""

import contextlib
import ctypes
import json
import os
import resource
import runpy
import signal
import sys
from typing import Any

PR_SET_PDEATHSIG = 1


def main() -> None:
    terms, argv = json.loads(sys.argv[1]), sys.argv[2:]
    program: int | str = argv[0]
    if terms["fence"]:
        _leave_our_network(terms["fence"])
    if terms["uid"] is not None:
        if _is_binary(argv[0]):
            # By descriptor: the unprivileged user need not be able to walk to the file.
            program = os.open(argv[0], os.O_RDONLY)
        os.setgroups([])
        os.setgid(terms["gid"])
        os.setuid(terms["uid"])
    _limit(terms["memory"], terms["file"])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != terms["parent"]:
            sys.exit("The worker died before the tool began.")
    try:
        os.execve(program, argv, os.environ)
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be executed: {error.strerror}.")


def _leave_our_network(fence: dict[str, Any]) -> None:
    try:
        here = os.path.dirname(__file__)
        runpy.run_path(os.path.join(here, "fencing", "namespace.py"))["enter"](fence)
    except OSError as error:
        sys.exit(f"The tool cannot get a network of its own: {error.strerror}.")


def _limit(memory: int, file: int) -> None:
    """Private writable memory (RLIMIT_DATA) is what can be limited: Go and Node reserve far more.

    When memory is short all the same, the kernel takes the tool before the worker.
    """
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file,
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_NOFILE: resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }
    for which, most in limits.items():
        allowed = resource.getrlimit(which)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(which, (most, most))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def _is_binary(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) != b"#!"


if __name__ == "__main__":
    main()
