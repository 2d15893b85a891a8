"""k6's archive of a script: a tar whose metadata.json holds the options, resolved."""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from runs.tools import ToolProblem
from runs.tools.surroundings import open_left, putting

_OPTIONS = "metadata.json"
_MODULE = rb"""["'`]k6/(?:http|ws|browser|net/grpc|(?:experimental/)?(?:websockets|grpc))["'`]"""
_IMPORT = re.compile(
    rb"""(?:^|[;}]|\*/)[ \t]*(?:import|export)\b[^;"'`]{0,2000}%b"""
    rb"""|^(?![ \t]*//).*\b(?:require|import)\(\s*%b""" % (_MODULE, _MODULE),
    re.MULTILINE,
)
_SCRIPTS = {".js", ".ts", ".mjs", ".cjs", ""}  # the main one is "data"


def digest(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def counts_iterations_alone(archive: Path) -> bool:
    """Whether its options name iterations, but neither users nor scenarios."""
    try:
        with tarfile.open(archive) as tar:
            file = tar.extractfile(_OPTIONS)
            options = json.loads(file.read() if file else b"{}").get("options") or {}
    except (OSError, tarfile.TarError, KeyError, ValueError):
        return False  # k6 itself will say what is wrong with it
    return bool(options.get("iterations")) and not (options.get("vus") or options.get("scenarios"))


def speaks(archive: Path) -> bool | None:
    """Whether a script of it imports what makes requests that are counted; None: unreadable."""
    try:
        with tarfile.open(archive) as tar:
            scripts = (member for member in tar if PurePosixPath(member.name).suffix in _SCRIPTS)
            files = filter(None, map(tar.extractfile, scripts))
            return any(_IMPORT.search(file.read()) for file in files)
    except (OSError, tarfile.TarError):
        return None


def map_hosts(archive: Path, hosts: Mapping[str, str]) -> None:
    """Add names to the archive's own map of hosts, in which ours win; the script stays as it is."""
    try:
        with (
            open_left(archive) as file,
            tarfile.open(fileobj=file) as old,
            putting(archive.parent, archive.name) as mapped,
            tarfile.open(fileobj=mapped, mode="w") as new,
        ):
            for member in old:
                held = old.extractfile(member)
                if member.name == _OPTIONS:
                    content = _with_hosts(held.read() if held else b"", hosts)
                    member.size, held = len(content), io.BytesIO(content)
                new.addfile(member, held)
    except (tarfile.TarError, ValueError, TypeError) as error:
        raise ToolProblem(
            "k6's archive of the script cannot be read, so its hosts cannot be mapped. "
            "Run ./wedsync tools to get the version of k6 that is known here.",
            code="tool_error",
        ) from error


def _with_hosts(metadata: bytes, hosts: Mapping[str, str]) -> bytes:
    words = json.loads(metadata)
    words["options"]["hosts"] = (words["options"].get("hosts") or {}) | dict(hosts)
    return json.dumps(words).encode()
