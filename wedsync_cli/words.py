"""What every verb is handed, how a failure is told, and the exit codes."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wedsync_cli.say import Say

PASSED, FAILED, REFUSED, ABORTED, BROKEN, USAGE = 0, 1, 2, 3, 4, 64


class Problem(Exception):
    """One sentence each: what happened, why, what next. Ends the command with `code`."""

    def __init__(self, what: str, *, why: str = "", then: str = "", code: int = BROKEN) -> None:
        super().__init__(what)
        self.what, self.why, self.then, self.code = what, why, then, code

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.then) if part)


def last_words(output: str, *, lines: int = 4, width: int = 200) -> str:
    """The end of what a program said, short enough to be read."""
    return "\n".join(line[:width] for line in output.strip().splitlines()[-lines:])


@dataclass(frozen=True)
class Context:
    root: Path
    env: Mapping[str, str]
    say: Say
    given_up: threading.Event = field(default_factory=threading.Event)
    """Set where the command ends early: what goes on beside it begins nothing new."""

    @property
    def state(self) -> Path:
        """Data of the stacks and stack.json; WEDSYNC_HOME moves it."""
        return Path(self.env.get("WEDSYNC_HOME") or self.root / ".wedsync")

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"
