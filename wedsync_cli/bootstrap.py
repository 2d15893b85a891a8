"""Makes an environment from a lock with hashes, with nothing but the standard library, once."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from wedsync_cli import files, index, programs
from wedsync_cli.words import Context, Problem

PIP_AT_MOST = "26.3"
RUN_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"
LOCUST_LOCK = "requirements-locust.lock"
_STAMP = "wedsync-stamp"
_PIN = re.compile(r"^([A-Za-z0-9._-]+==\S+)", re.MULTILINE)
_OFFLINE = "Check the network (a proxy or mirror: set PIP_INDEX_URL), then run the command again."


def ensure(context: Context, *, venv: Path, lock: str, python: Path = Path(sys.executable)) -> None:
    """Makes `venv` of `python` and installs `lock` into it, unless the stamp says it is done."""
    if is_ready(context, venv=venv, lock=lock):
        return
    with _one_at_a_time(context):
        if is_ready(context, venv=venv, lock=lock):
            return
        own = venv / "bin" / "python"
        if not version_of(own):
            _make_venv(context, venv, python)
        (venv / _STAMP).unlink(missing_ok=True)
        _install(context, python=own, lock=lock)
        done = _satisfied(context.root, lock, version_of(own))
        files.write_whole(venv / _STAMP, "".join(f"{stamp}\n" for stamp in done))


def is_ready(context: Context, *, venv: Path, lock: str) -> bool:
    """Whether `ensure` would have nothing to do. Never installs."""
    try:
        done = set((venv / _STAMP).read_text(encoding="utf-8").split())
    except OSError:
        return False
    return stamp(_read(context.root, lock), version_of(venv / "bin" / "python")) in done


def pins(lock: str) -> frozenset[str]:
    return frozenset(_PIN.findall(lock))


def stamp(lock: str, python_version: str) -> str:
    return hashlib.sha256(f"{python_version}\n{lock}".encode()).hexdigest()


def uv_environment(env: Mapping[str, str]) -> dict[str, str]:
    """uv reads other names than pip for the same index and the same certificates."""
    same = {"UV_DEFAULT_INDEX": "PIP_INDEX_URL", "SSL_CERT_FILE": "PIP_CERT"}
    more = {uv: env[pip] for uv, pip in same.items() if pip in env and uv not in env}
    return {**env, **more}


def _satisfied(root: Path, lock: str, version: str) -> list[str]:
    """Stamps of every lock whose pins are all installed now: the dev lock holds the run lock's."""
    installed = _read(root, lock)
    texts = {installed, _read(root, RUN_LOCK), _read(root, DEV_LOCK)}
    return sorted(stamp(text, version) for text in texts if pins(text) <= pins(installed))


def _make_venv(context: Context, venv: Path, python: Path) -> None:
    # Without pip, since ensurepip is what Debian leaves out with python3-venv.
    argv = [str(python), "-m", "venv", "--without-pip", "--clear", str(venv)]
    name = f"Making {venv.name} (Python {version_of(python).rpartition('.')[0]})"
    _step(context, name, argv, then=f"Remove {venv} and run the command again.")


def _install(context: Context, *, python: Path, lock: str) -> None:
    count = len(pins(_read(context.root, lock)))
    requirements = ["--require-hashes", "--no-deps", "-r", str(context.root / lock)]
    uv = shutil.which("uv", path=context.env.get("PATH"))
    if uv:
        argv = [uv, "pip", "install", "--quiet", "--python", str(python), *requirements]
        env = uv_environment(context.env)
    else:
        _ensure_pip(context, python)
        argv = [str(python), "-m", "pip", "install", "--quiet", "--no-input", *requirements]
        env = {
            **context.env,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
    name = f"Installing {count} Python packages from {lock} ({'uv' if uv else 'pip'})"
    _step(context, name, argv, env=env, then=_OFFLINE)


def _ensure_pip(context: Context, python: Path) -> None:
    if _succeeds(python, "-m", "pip", "--version"):
        return
    if _succeeds(python, "-c", "import ensurepip"):
        argv = [str(python), "-m", "ensurepip", "--default-pip"]
        _step(context, "Unpacking Python's own pip", argv, then="Install python3-venv, or uv.")
        return
    with tempfile.TemporaryDirectory(prefix="wedsync-pip-") as folder:
        with context.say.step("Fetching pip, which this Python comes without"):
            wheel = _fetch_pip(context, Path(folder))
        argv = [str(python), f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)]
        _step(context, f"Installing {wheel.name}", argv, then=_OFFLINE)


def _fetch_pip(context: Context, folder: Path) -> Path:
    try:
        if url := context.env.get("PIP_INDEX_URL"):
            return index.fetch_wheel(
                "pip", index=url, at_most=PIP_AT_MOST, into=folder, env=context.env
            )
        # Only Debian and its kin take ensurepip away, and there its wheel is a package of its own.
        return index.unpack_debian_wheel("pip", into=folder)
    except (OSError, ValueError) as error:
        raise Problem(
            "The step 'Fetching pip' failed.",
            why=str(error),
            then="Install your system's python3-venv, or let PIP_INDEX_URL name a package index.",
        ) from error


def _step(
    context: Context,
    name: str,
    argv: Sequence[str],
    *,
    then: str,
    env: Mapping[str, str] | None = None,
) -> None:
    failed = f"The step '{name}' failed."
    with context.say.step(name):
        programs.run(argv, failed=failed, then=then, env=env or context.env, cwd=context.root)


def _succeeds(python: Path, *arguments: str) -> bool:
    return subprocess.run([python, *arguments], capture_output=True).returncode == 0


def version_of(python: Path) -> str:
    """Empty where there is no Python or it no longer starts."""
    if not os.access(python, os.X_OK):
        return ""
    show = "import sys; print(*sys.version_info[:3], sys.platform, sep='.')"
    return subprocess.run([python, "-c", show], capture_output=True, text=True).stdout.strip()


def _read(root: Path, lock: str) -> str:
    return (root / lock).read_text(encoding="utf-8")


@contextlib.contextmanager
def _one_at_a_time(context: Context) -> Iterator[None]:
    path = context.root / ".wedsync" / "bootstrap.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with context.say.step("Waiting for another ./wedsync that installs packages here"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
