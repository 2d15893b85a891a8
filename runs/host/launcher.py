"""Becomes the tool's warden and, in a child of its own, the tool: what that starts ends with it.

Run as `python -I -S launcher.py TERMS argv...`, since work between fork and exec is not safe in a
worker that has threads. See docs/decisions/0014. TERMS: {"parent": 1, "uid": null, "gid": null,
"memory": bytes, "file": bytes, "fence": null or what namespace.enter takes, "fds": those that the
tool inherits, "proof": the pipe in which a warden says that it began, that its worker fell silent,
and at its end that nothing is left; null where the program is ours and needs no warden, "life": the
pipe in which the worker says that the tool may live on, or null}.
"""

import contextlib
import ctypes
import json
import os
import resource
import runpy
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
END_NOW = signal.SIGUSR1  # from the worker by living.py, from the kernel when the worker died
MOST_PROCESSES = 4096  # and threads, of all tools together that run as nobody
BEGUN, FORSAKEN, NOTHING_LEFT = b"b", b"f", b"0"
PASSED_ON = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
HEARD = {*PASSED_ON, END_NOW, signal.SIGCHLD}
# A worker that was stopped or hangs asks no calendar: its tool ends so long after its last word.
SILENCE_S, LOOK_S = 4.0, 0.5


def main() -> None:
    terms, argv = json.loads(sys.argv[1]), sys.argv[2:]
    if terms["proof"] is not None:
        _ward(terms)
    _become(terms, argv)


def _ward(terms: dict[str, Any]) -> None:
    """Returns in the child, which is to become the tool; we stay beside it, and whom we are."""
    for number in HEARD:
        signal.signal(number, signal.SIG_DFL)  # what a worker ignores, nobody could wait for
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _bind_life_to(terms["parent"], END_NOW)
    warden, proof = os.getpid(), terms["proof"]
    _say(proof, BEGUN)
    if tool := _fork(proof):
        _let_go_of(terms["fds"])
        status = _end_all(tool, _watch(tool, terms["life"], proof))
        _say(proof, NOTHING_LEFT)
        _end_like(status)
    os.close(proof)
    if terms["life"] is not None:
        os.close(terms["life"])
    os.setsid()  # a script that signals its own group does not signal us
    terms["parent"] = warden
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _say(proof: int, word: bytes) -> None:
    with contextlib.suppress(OSError):  # the worker is gone
        os.write(proof, word)


def _fork(proof: int) -> int:
    try:
        return os.fork()
    except OSError as error:
        _say(proof, NOTHING_LEFT)
        sys.exit(f"This machine has no room for another process: {error.strerror}.")


def _watch(tool: int, life: int | None, proof: int) -> int | None:
    """The wait status of a tool that ended; None where its time is over before."""
    last_word: float | None = None  # silence counts from the first
    while (number := _listen(life)) != END_NOW:
        if number in PASSED_ON:
            _pass_on(number, tool)
        if (status := _reap(tool)) is not None:
            return status
        if life is not None and _is_said(life):
            last_word = time.monotonic()
        if last_word is not None and time.monotonic() - last_word > SILENCE_S:
            _say(proof, FORSAKEN)
            return None
    return None


def _listen(life: int | None) -> int:
    """The next signal; 0 where none came for a while and there is something else to look at."""
    if life is None or sys.platform != "linux":
        return signal.sigwait(HEARD)
    found = signal.sigtimedwait(HEARD, LOOK_S)
    return found.si_signo if found else 0


def _is_said(life: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        return bool(os.read(life, 4096))
    return False


def _pass_on(number: int, tool: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        try:
            os.killpg(tool, number)
        except ProcessLookupError:  # it has no session of its own yet
            os.kill(tool, number)


def _reap(tool: int) -> int | None:
    """Bury whoever ended; the tool's wait status where it was among them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            status = found[1] if found[0] == tool else status
    return status


def _end_all(tool: int, status: int | None) -> int:
    """What a killed process leaves behind becomes our child: no child left means nothing left."""
    if status is None:
        _kill(os.killpg, tool)
    while True:
        for child in _children():
            _kill(os.kill, child)
        try:
            found = os.waitpid(-1, 0)
        except ChildProcessError:
            return status or 0
        status = found[1] if found[0] == tool else status


def _kill(send: Callable[[int, int], None], whom: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(whom, signal.SIGKILL)


def _children() -> Iterable[int]:
    me = os.getpid()
    with contextlib.suppress(OSError), open(f"/proc/self/task/{me}/children") as file:
        return [int(word) for word in file.read().split()]
    return [int(name) for name in _processes() if _parent(name) == me]


def _processes() -> Iterable[str]:
    with contextlib.suppress(OSError):
        return [name for name in os.listdir("/proc") if name.isdigit()]
    return []


def _parent(process: str) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])
    return 0


def _let_go_of(descriptors: Iterable[int]) -> None:
    """A pipe ends when its last end is closed, so we hold none of the tool's."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    for descriptor in (nothing, *descriptors):
        os.close(descriptor)


def _end_like(status: int) -> NoReturn:
    """With the tool's exit code, or by the signal that ended it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):  # KILL needs no default
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _become(terms: dict[str, Any], argv: list[str]) -> NoReturn:
    program: int | str = argv[0]
    _offer_to_the_kernel()
    if terms["fence"]:
        _leave_our_network(terms["fence"])
    if terms["uid"] is not None:
        if _is_binary(argv[0]):
            # By descriptor: the unprivileged user need not be able to walk to the file.
            program = os.open(argv[0], os.O_RDONLY)
        os.setgroups([])
        os.setgid(terms["gid"])
        os.setuid(terms["uid"])
    _limit(terms["memory"], terms["file"], is_nobody=terms["uid"] is not None)
    # No sudo and no crontab: what those start outlives us (no_new_privs, prctl(2)).
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    # Last: a change of the user clears it (prctl(2)).
    _bind_life_to(terms["parent"], signal.SIGKILL)
    try:
        os.execve(program, argv, os.environ)
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be executed: {error.strerror}.")


def _bind_life_to(parent: int, number: int) -> None:
    """By the kernel's parent-death signal; a parent that is dead by now sends none."""
    _prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit("The worker died before the tool began.")


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _leave_our_network(fence: dict[str, Any]) -> None:
    try:
        here = os.path.dirname(os.path.dirname(__file__))
        runpy.run_path(os.path.join(here, "fencing", "namespace.py"))["enter"](fence)
    except OSError as error:
        sys.exit(f"The tool cannot get a network of its own: {error.strerror}.")


def _limit(memory: int, file: int, *, is_nobody: bool) -> None:
    """Private writable memory (RLIMIT_DATA) is what can be limited: Go and Node reserve far more.

    A Go program collects harder before it would die of it (https://pkg.go.dev/runtime).
    """
    os.environ["GOMEMLIMIT"] = str(memory * 9 // 10)
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file,
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_NOFILE: resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }
    if is_nobody:
        limits[resource.RLIMIT_NPROC] = MOST_PROCESSES
    for which, most in limits.items():
        allowed = resource.getrlimit(which)[1]
        most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(which, (most, most))


def _offer_to_the_kernel() -> None:
    """When memory is short, it takes the tool before the worker. The user nobody may not ask."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def _is_binary(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) != b"#!"


if __name__ == "__main__":
    main()
