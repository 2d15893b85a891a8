"""Outlives the launcher by a moment: once its standard input ends, it ends what is left.

Started in a session of its own with the stack's mark as argument. Lines on standard input keep it
informed: `+PID` a child was started, `-PID` it was seen to end. It holds the data folder's lock too
(an inherited descriptor), so that the next stack starts only when the last one is gone.
"""

import signal
import sys
from collections.abc import Iterable

from wedsync_cli import processes

GRACE_S = 2.5


def main() -> None:
    mark = sys.argv[1]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    leaders = listen(sys.stdin)
    processes.end(
        lambda: processes.members(processes.running(), leaders=leaders, mark=mark), grace=GRACE_S
    )


def listen(lines: Iterable[str]) -> set[int]:
    """The children that live when the lines end, which is when the launcher does."""
    leaders: set[int] = set()
    for line in lines:
        change, pid = line[:1], line[1:].strip()
        if pid.isdigit():
            (leaders.add if change == "+" else leaders.discard)(int(pid))
    return leaders


if __name__ == "__main__":
    main()
