"""A plan file read into the body of POST /runs: paths become what is in the files beside it."""

import base64
import json
import re
import subprocess
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from wedsync_cli.words import USAGE, Context, Problem, last_words

WORDS = (
    *("name", "tool", "script", "target", "duration", "users", "shards", "thresholds", "files"),
    *("variables", "secrets", "hosts", "ca", "tags", "notes", "plan"),
)
MOST_BYTES = 16 << 20
BASE64 = "base64:"
_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def read(context: Context, path: Path) -> dict[str, Any]:
    """The request that a plan file writes out. Raises Problem, code 64, for what is none."""
    words = _load(context, path)
    if not isinstance(words, dict) or not words:
        _wrong(path, "It must hold words such as `name:` and `script:`, one a line.")
    return body(words, path)


def body(words: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """`path` is the plan file's own: what it names lies beside it."""
    for name in words:
        if name not in WORDS:
            near = get_close_matches(name, WORDS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(WORDS)}."
            _wrong(path, f"There is no word {name!r}. {hint}")
    readers = {
        "script": _text,
        "ca": _text,
        "files": _files,
        "thresholds": _list,
        "tags": _list,
        "duration": _span,
    }
    own = {} if "plan" in words else {"name": path.stem}
    return own | {
        name: readers[name](path, name, value) if name in readers else value
        for name, value in words.items()
    }


def _span(path: Path, word: str, value: Any) -> Any:
    """`1h30m`, `90s` as ISO 8601; whatever else is handed on, for the product to judge."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    return f"PT{value.upper()}" if match and any(match.groups()) else value


def _load(context: Context, path: Path) -> Any:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.", code=USAGE) from None
    argv = [str(context.python), "-m", "wedsync_cli.planfile"]
    done = subprocess.run(argv, input=text, cwd=context.root, capture_output=True)
    if done.returncode:
        _wrong(path, last_words(done.stderr.decode(errors="replace")))
    return json.loads(done.stdout)


def _files(path: Path, word: str, value: Any) -> dict[str, str]:
    names: dict[str, Path] = {}
    for pattern in _list(path, word, value):
        found = _matching(path, pattern)
        names |= {file.relative_to(path.parent).as_posix(): file for file in found}
    if (size := sum(file.stat().st_size for file in names.values())) > MOST_BYTES:
        _wrong(path, f"files: they are {size >> 20} MiB together, and 16 MiB are the most.")
    return {name: _content(path, file) for name, file in names.items()}


def _matching(path: Path, pattern: str) -> list[Path]:
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts or not pattern:
        _wrong(path, f"files: {pattern!r} must lie beside the plan file or below it.")
    found = sorted(path.parent.glob(pattern))
    files = [file for file in found if file.is_file()]
    if not files:
        hint = f"It is a folder: write {pattern}/*." if found else "Is it spelled as on the disk?"
        _wrong(path, f"files: nothing is called {pattern!r} beside it. {hint}")
    return files


def _content(path: Path, file: Path) -> str:
    """Text as it is, whatever else in base64."""
    data = _bytes(path, "files", file)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or text.startswith(BASE64):
        return BASE64 + base64.b64encode(data).decode()
    return text


def _text(path: Path, word: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        _wrong(path, f"{word}: write the path of one file.")
    file = path.parent / value
    try:
        return _bytes(path, word, file).decode()
    except UnicodeDecodeError:
        _wrong(path, f"{word}: {file} is not text in UTF-8.")


def _bytes(path: Path, word: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _wrong(path, f"{word}: {file} cannot be read: {error.strerror}.")


def _list(path: Path, word: str, value: Any) -> list[str]:
    """One alone may stand without a dash."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        _wrong(path, f"{word}: write a list, one a line: - {word} ...")
    return values


def _wrong(path: Path, why: str) -> NoReturn:
    raise Problem(f"{path} is no plan for a run.", why=why, code=USAGE)
