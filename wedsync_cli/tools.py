"""Finds and installs what the tests and the demo drive: load tools, a browser, nginx, faketime."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from wedsync_cli import artillery, bootstrap, index, programs
from wedsync_cli.words import Context, Problem

K6_VERSION = "v1.8.1"
K6_MODULE = f"go.k6.io/k6@{K6_VERSION}"
SYSTEM_PYTHON = Path("/usr/bin/python3")
# https://github.com/grafana/k6/releases
K6_RELEASE = f"https://github.com/grafana/k6/releases/download/{K6_VERSION}"
# Debian's package -> the programs that show it is there.
PACKAGES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "nginx-light": ("nginx",),
    "faketime": ("faketime",),
}


def k6_cache(env: Mapping[str, str]) -> Path:
    """Kept between checkouts: building k6 takes minutes."""
    home = env.get("XDG_CACHE_HOME") or Path(env.get("HOME", "~")).expanduser() / ".cache"
    return Path(home) / "wedsync" / f"k6-{K6_VERSION.removeprefix('v')}"


def find_k6(env: Mapping[str, str] = os.environ) -> Path | None:
    """WEDSYNC_K6, else PATH, else our cache. Never builds."""
    if named := programs.named(env, "WEDSYNC_K6"):
        return named
    if on_path := shutil.which("k6", path=env.get("PATH")):
        return Path(on_path)
    cached = k6_cache(env) / "k6"
    return cached if os.access(cached, os.X_OK) else None


def find_locust(context: Context) -> Path | None:
    """WEDSYNC_LOCUST, else the one in its environment of its own."""
    if named := programs.named(context.env, "WEDSYNC_LOCUST"):
        return named
    locust = context.root / ".venv-locust" / "bin" / "locust"
    return locust if locust.exists() else None


def environment(context: Context) -> dict[str, str]:
    """Tells our own programs where the load tools are that this machine has."""
    found = {
        "WEDSYNC_K6": find_k6(context.env),
        "WEDSYNC_LOCUST": find_locust(context),
        "WEDSYNC_ARTILLERY": artillery.find(context.env),
    }
    return {name: str(path) for name, path in found.items() if path}


def ensure_locust(context: Context) -> Path:
    """In an environment of its own: gevent patches the standard library of whoever loads it."""
    venv = context.root / ".venv-locust"
    bootstrap.ensure(context, venv=venv, lock=bootstrap.LOCUST_LOCK, python=python_of_tools())
    return venv / "bin" / "locust"


def python_of_tools() -> Path:
    """Ours, or the system's where the user nobody cannot read ours and tools are to run as him."""
    ours = Path(sys.executable)
    if os.geteuid() != 0 or _is_open_to_all(ours.resolve()) or not SYSTEM_PYTHON.exists():
        return ours
    recent = [str(SYSTEM_PYTHON), "-c", "import sys, venv; sys.exit(sys.version_info < (3, 11))"]
    return ours if subprocess.run(recent, capture_output=True).returncode else SYSTEM_PYTHON


def _is_open_to_all(path: Path) -> bool:
    folders = all(parent.stat().st_mode & 0o001 for parent in path.parents)
    return folders and bool(path.stat().st_mode & 0o004)


def ensure_k6(context: Context) -> Path:
    found = find_k6(context.env)
    if found is None:
        go = shutil.which("go", path=context.env.get("PATH"))
        found = _build_k6(context, go) if go else _fetch_k6(context)
    return found


def ensure_k6_examples(context: Context) -> Path | None:
    """k6's own example scripts, out of its Go module; None where there is no Go."""
    kept = k6_cache(context.env) / "examples"
    go = shutil.which("go", path=context.env.get("PATH"))
    if kept.is_dir() or not go:
        return kept if kept.is_dir() else None
    with context.say.step("Fetching k6's example scripts"):
        argv = [go, "mod", "download", "-json", K6_MODULE]
        module = json.loads(_run(context, argv, "Fetching k6's example scripts"))
        with tempfile.TemporaryDirectory(dir=_made(kept.parent)) as folder:
            whole = Path(folder) / "examples"
            shutil.copytree(Path(module["Dir"]) / "examples", whole)
            for path in (whole, *whole.rglob("*")):  # the module cache is read-only
                path.chmod(0o755 if path.is_dir() else 0o644)
            whole.rename(kept)
    return kept


def missing_packages(env: Mapping[str, str]) -> list[str]:
    path = f"{env.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    return [
        package
        for package, programs in PACKAGES.items()
        if not any(shutil.which(program, path=path) for program in programs)
    ]


def ensure_packages(context: Context) -> list[str]:
    """Installs what is missing where we may; returns what is still missing."""
    missing = missing_packages(context.env)
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        apt = ["apt-get", "-q", "-y", "-o", "Acquire::Retries=3"]
        env = {**context.env, "DEBIAN_FRONTEND": "noninteractive"}
        name = f"Installing {', '.join(missing)} (apt-get)"
        with context.say.step(name):
            _run(context, [*apt, "update"], name, env=env)
            _run(context, [*apt, "install", "--no-install-recommends", *missing], name, env=env)
    return missing_packages(context.env)


def install_line(packages: list[str]) -> str:
    return f"sudo apt-get install -y {' '.join(packages)}"


def _build_k6(context: Context, go: str) -> Path:
    cache = _made(k6_cache(context.env))
    name = f"Building k6 {K6_VERSION} (go install; once, about two minutes)"
    with context.say.step(name), tempfile.TemporaryDirectory(dir=cache) as folder:
        lean = ("-ldflags=-s -w", "-gcflags=all=-dwarf=false")  # no symbols: a tenth sooner
        argv = [go, "install", *lean, K6_MODULE]
        _run(context, argv, name, env={**context.env, "GOBIN": folder})
        (Path(folder) / "k6").replace(cache / "k6")
    return cache / "k6"


def _fetch_k6(context: Context) -> Path:
    """The official release, checked against the checksums that are published with it."""
    archive = f"k6-{K6_VERSION}-{release_name(sys.platform, platform.machine())}.tar.gz"
    with context.say.step(f"Fetching k6 {K6_VERSION} (official release)"):
        try:
            sums = index.download(f"{K6_RELEASE}/k6-{K6_VERSION}-checksums.txt", env=context.env)
            content = index.download(f"{K6_RELEASE}/{archive}", env=context.env)
        except OSError as error:
            raise Problem(
                f"k6 {K6_VERSION} could not be fetched.",
                why=str(error),
                then="Install k6 so that it is on PATH, or Go, then run ./wedsync tools again.",
            ) from error
        if sha256(content).hexdigest() != checksum(sums.decode(), archive):
            raise Problem(f"{archive} arrived damaged: its sha256 is not the published one.")
        return _unpack_k6(content, _made(k6_cache(context.env)))


def release_name(system: str, machine: str) -> str:
    machines = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    if system != "linux" or machine not in machines:
        raise Problem(
            f"There is no k6 archive for {system} on {machine} that we can unpack.",
            then="Install k6 so that it is on PATH (https://k6.io), then run ./wedsync tools.",
        )
    return f"linux-{machines[machine]}"


def checksum(sums: str, archive: str) -> str:
    """The sha256 of one file in a `SUM  NAME` list; empty where it is not named."""
    lines = (line.split() for line in sums.splitlines())
    return next((words[0] for words in lines if len(words) == 2 and words[1] == archive), "")


def _unpack_k6(content: bytes, cache: Path) -> Path:
    with tarfile.open(fileobj=BytesIO(content)) as tar:
        member = next(m for m in tar.getmembers() if m.isfile() and Path(m.name).name == "k6")
        file = tar.extractfile(member)
        program = file.read() if file else b""
    half = cache / "k6.part"
    half.write_bytes(program)
    half.chmod(0o755)
    return half.replace(cache / "k6")


def _run(
    context: Context, argv: list[str], name: str, *, env: Mapping[str, str] | None = None
) -> str:
    with tempfile.TemporaryDirectory(prefix="wedsync-tools-") as folder:
        return programs.run(
            argv,
            failed=f"The step '{name}' failed.",
            then="Check the network, then run ./wedsync tools again.",
            env=env or context.env,
            cwd=Path(folder),
        )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
