"""Where Artillery is installed, and the Node.js that runs it."""

import os
import shutil
from pathlib import Path

from runs.tools import ToolProblem

VERSION = "2.0.34"
NODE_AT_LEAST = (22, 18)


def find() -> Path:
    """Artillery's own entry file, which Node executes. Raises ToolProblem ("tool_missing")."""
    if configured := os.environ.get("WEDSYNC_ARTILLERY"):
        return _checked(Path(configured))
    cached = _cache() / "node_modules" / "artillery" / "bin" / "run"
    if not cached.is_file() and (found := shutil.which("artillery")):
        return Path(found).resolve()
    return _checked(cached)


def node(entry: Path) -> Path:
    """The Node that was installed with it, else the one on PATH."""
    beside = modules(entry).parent / "bin" / "node"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("node")
    if found is None:
        sentence = "Artillery needs Node.js, and it is not on PATH. Run ./wedsync tools to get it."
        raise ToolProblem(sentence, code="tool_missing")
    return Path(found).resolve()


def modules(entry: Path) -> Path:
    """The folder of packages that it was installed into."""
    return entry.parents[2] if len(entry.parents) > 2 else entry.parent


def core(entry: Path) -> Path:
    """Where it keeps its engines."""
    return entry.parent.parent / "dist" / "lib" / "core"


def _cache() -> Path:
    """Where ./wedsync tools keeps it: root's is where the user nobody may read it too."""
    home = Path.home()
    is_closed = os.geteuid() == 0 and not home.stat().st_mode & 0o001
    kept = Path("/var/cache") if is_closed else home / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or kept) / "wedsync" / f"artillery-{VERSION}"


def _checked(path: Path) -> Path:
    if path.is_file() and os.access(path, os.X_OK):
        return path.resolve()
    raise ToolProblem(
        f"Artillery is not installed: it is neither at {path} nor on PATH. "
        "Run ./wedsync tools to get it, or let WEDSYNC_ARTILLERY name it.",
        code="tool_missing",
    )
