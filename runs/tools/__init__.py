"""Load tools, all behind one contract. A new one is a file or a folder here and a line in TOOLS."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Literal, Protocol, cast

from runs.samples import Batch, Kind, Second

TOOLS = (
    "runs.tools.k6:K6",
    "runs.tools.locust:Locust",
    "runs.tools.artillery:Artillery",
)


class ToolProblem(Exception):
    """Why a tool cannot run this script, as a sentence for a person: what, why, what next.

    `output` is what the tool itself said, for those who want all of it, and `exit_code` its own.
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "tool_problem",
        output: str = "",
        exit_code: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code, self.output, self.exit_code = code, output, exit_code


@dataclass(frozen=True, slots=True)
class Job:
    """One run as its tool sees it. `deny` holds the networks (CIDR) that the tool may not reach,
    `allow` the names and networks that it may; both are known once its script was judged.

    `variables` reach the script by the tool's own way, `secrets` by the environment alone. `hosts`
    says where names are found ("shop.example": "127.0.0.1:9000"), `ca` is a PEM file to trust as
    well. A shard is this one of so many: (0, 1) is a whole run.
    """

    run_id: str
    script: Path
    workdir: Path
    target: str
    duration: timedelta
    users: int | None
    port: int
    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: Mapping[str, str] = field(default_factory=dict)
    ca: Path | None = None
    shard: tuple[int, int] = (0, 1)

    @property
    def known(self) -> dict[str, str]:
        """What every script finds beside its variables, and in the same way."""
        users = {} if self.users is None else {"USERS": str(self.users)}
        return {"TARGET": self.target, **users}


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    stdout: str
    stderr: str


Shell = Callable[[list[str], Mapping[str, str], float], Finished]
"""Runs (argv, environment, seconds) in the work directory. Raises ToolProblem on a time-out."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a tool says of a script before any request is made.

    `worst_case` is the longest the script may take, None where only the hard stop bounds it;
    `peak_rate` the most arrivals or iterations a second. None means that nobody can know.
    `hosts` are those that the plan names. `thresholds` are the script's own, in its own words.
    `digest` is the SHA-256 of what will be run, where that is one file.
    """

    version: str
    worst_case: timedelta | None
    warnings: tuple[str, ...] = ()
    nominal: timedelta | None = None
    peak_users: int | None = None
    peak_rate: float | None = None
    hosts: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    digest: str = ""

    @property
    def is_bounded(self) -> bool:
        return self.worst_case is not None


@dataclass(frozen=True, slots=True)
class Command:
    argv: list[str]
    env: dict[str, str] = field(repr=False)


EndingKind = Literal[
    "finished", "thresholds_crossed", "marked_failed", "script_error", "stopped", "tool_error"
]


@dataclass(frozen=True, slots=True)
class Ending:
    """What a tool says by its exit code: one input of the verdict, never the verdict itself."""

    kind: EndingKind
    sentence: str


@dataclass(frozen=True, slots=True)
class OwnVerdict:
    """What a tool says of one of the script's own thresholds; None: it did not judge it."""

    text: str
    held: bool | None


class Reader(Protocol):
    """Reads one run's samples. `hello` turns true with the first line that the tool wrote.

    `garbage` counts lines that made no sense, `dropped` requests that the tool could not hand over.
    """

    @property
    def hello(self) -> bool: ...

    @property
    def garbage(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    def feed(self, chunk: bytes) -> Batch:
        """Read the next bytes, in pieces of any size. Never raises."""


class Judge(Protocol):
    """Judges a script's own thresholds on the merged seconds of all shards."""

    def see(self, second: Second) -> None:
        """Each second once, in any order."""

    def judge(self, text: str, kinds: Mapping[str, Kind], longest_s: float) -> OwnVerdict:
        """`longest_s`: what the test with its setup() and teardown() took at the most."""


class Tool(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def is_steered_from_outside(self) -> bool:
        """True where we call it over the network while it runs: no fence can be put around it."""

    @property
    def latency_kind(self) -> str:
        """What its latencies measure; those of two tools compare only where this is equal."""

    @property
    def script_name(self) -> str:
        """The file name under which it wants its script."""

    @property
    def options(self) -> Collection[str]:
        """Variables of a run that stand for options of its command line, and reach no script."""

    @property
    def reserved(self) -> Collection[str]:
        """Variables that it would take for options: no run may have them, but for `options`."""

    def find(self) -> Path:
        """Raises ToolProblem ("tool_missing")."""

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        """Validate and freeze the script; ToolProblem "script_invalid" or "plan_too_long".

        What it says to a shard is of the whole test; "cannot_divide" where that has no parts.
        """

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        """The command of a prepared job: it starts, gets ready, and makes no request until go.

        Its process inherits the writing end of the samples and the reading end of go. The caller
        keeps the other end of go open for as long as the tool may live: its closing ends the tool.
        """

    def reader(self, job: Job | None = None) -> Reader:
        """What it counts as a request may depend on the prepared script of this job."""

    def is_ready(self, job: Job, reader: Reader) -> bool: ...

    def go(self, job: Job, go_fd: int) -> None:
        """Let a ready tool begin; `go_fd` is the writing end. Raises ToolProblem."""

    def share_setup(self, job: Job, go_fd: int, data: bytes | None) -> bytes:
        """Of a ready shard: what the script prepares once for all of them; b"" is nothing.

        The first is given None, does it and returns what the others are given. It makes requests
        and may take long; a stop ends the tool and so this. Raises ToolProblem.
        """

    def tear_down(self, job: Job, go_fd: int) -> None:
        """Once all are over, by a tool that is ready, was given the setup and is not let go."""

    def explain(self, code: int, stderr: str) -> Ending: ...

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        """The script's own thresholds after the end, read from the work directory. Never raises.

        Of a run in shards they count only where `judge` gives none.
        """

    def judge(self, thresholds: Iterable[str]) -> Judge | None:
        """Of a run in shards; None where what the shards say of themselves is all there is."""


def get_tool(name: str) -> Tool:
    """Raises ToolProblem ("tool_unknown")."""
    for path in TOOLS:
        tool = cast(Tool, resolve_name(path)())
        if tool.name == name:
            return tool
    raise ToolProblem(f"There is no load tool called “{name}”.", code="tool_unknown")


def tool_names() -> tuple[str, ...]:
    return tuple(cast(Tool, resolve_name(path)()).name for path in TOOLS)
