"""A small stack of sleepers under the real supervisor, run as a program of its own.

Arguments: the log folder, the stack's mark, names of PROGRAMS. Prints `ready`, then waits.
"""

import os
import sys
import threading
from pathlib import Path

from wedsync_cli.children import Child, LogSays
from wedsync_cli.say import Say
from wedsync_cli.supervise import Interrupted, Signals, Supervisor, ended

SLEEPER = "import threading; print(' ready.', flush=True); threading.Event().wait(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
# As a worker starts a load tool: in a session of its own and with an environment of its own.
WORKER = f"""
import subprocess, sys
tool = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True, env={{}})
print("tool", tool.pid, flush=True)
{SLEEPER}
"""
PROGRAMS = {"sleeper": SLEEPER, "stubborn": STUBBORN, "worker": WORKER}


def main(logs: Path, stack_id: str, names: list[str]) -> None:
    say, signals = Say(sys.stdout), Signals()
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "WEDSYNC_STACK": stack_id}
    with signals.watched():
        try:
            supervisor = Supervisor(root=root, logs=logs, stack_id=stack_id, say=say)
            with ended(supervisor, signals, say):
                supervisor.start(
                    *(
                        Child(name, (sys.executable, "-c", PROGRAMS[name]), env, LogSays("ready."))
                        for name in names
                    )
                )
                supervisor.watch()
                say.line("ready")
                threading.Event().wait()
        except Interrupted:
            say.line("stopped")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
