"""Runs Locust (https://docs.locust.io/), in an environment of its own: gevent stays out of ours.

locust_tap.py is loaded beside the script. It says hello, waits for a byte on an inherited pipe
before any user exists, then hands over what every request took.
"""

import json
import math
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import msgspec

from runs.samples import REQUESTS, Batch, Cell, Key
from runs.shards.shares import Part
from runs.tools import (
    Command,
    Ending,
    Job,
    OwnVerdict,
    Prepared,
    Reader,
    Shell,
    ToolProblem,
    scrubbed,
    trusting,
)
from runs.tools.lines import endpoint
from runs.tools.tapping import TapReader, say_go

STOP_TIMEOUT_S = 2
MARGIN_S = STOP_TIMEOUT_S + 1
MOST_RAMP_S = 10.0
_TAP = Path(__file__).with_name("locust_tap.py")
_TAP_NAME = "wedsync_tap.py"
_LOOK = Path(__file__).with_name("locust_look.py")
_LOOK_NAME = "wedsync_look.py"
_VENV = Path(__file__).resolve().parents[2] / ".venv-locust" / "bin" / "locust"
_USERS = re.compile(r"^Available Users:\s+\S", re.MULTILINE)
_SHAPES = re.compile(r"^wedsync shape: (\w+)$", re.MULTILINE)
_FIXED = re.compile(r"^wedsync fixed: (\w+)$", re.MULTILINE)
_SHORT_S, _LOAD_S = 20.0, 30.0


class Locust:
    name = "locust"
    latency_kind = "locust response_time: the whole call with its body, and connecting when new"
    script_name = "locustfile.py"
    is_steered_from_outside = False

    def find(self) -> Path:
        configured = os.environ.get("WEDSYNC_LOCUST")
        for path in (Path(configured),) if configured else (_VENV, _on_path()):
            if path and path.is_file() and os.access(path, os.X_OK):
                return path
        raise ToolProblem(
            f"Locust is not installed: it is neither at {configured or _VENV} nor on PATH. "
            "Run ./wedsync tools to get it, or let WEDSYNC_LOCUST name it.",
            code="tool_missing",
        )

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        """Locust knows no plan to inspect: loading the script is what can be tried."""
        locust, env = str(self.find()), _environment(job)
        said = shell([locust, "--version"], env, _SHORT_S)
        found = re.search(r"locust (\d\S*)", said.stdout)
        if said.code or not found:
            sentence = f"Locust does not start: {_last_line(said.stderr)}"
            raise ToolProblem(sentence, code="tool_error")
        if not found[1].startswith("2."):
            sentence = (
                f"Locust {found[1]} is not known here; 2.x is. Run ./wedsync tools to get it."
            )
            raise ToolProblem(sentence, code="tool_unknown_version")
        for source, name in ((_TAP, _TAP_NAME), (_LOOK, _LOOK_NAME)):
            copy = job.workdir / name
            shutil.copyfile(source, copy)
            copy.chmod(0o644)  # Locust may run as a user who cannot read this checkout
        look = f"{job.workdir / _LOOK_NAME},{job.script}"
        said = shell([locust, "-f", look, "--list"], env, _LOAD_S)
        if said.code:
            sentence = f"Locust cannot load the script: {_where(job, said.stderr)}"
            raise ToolProblem(sentence, code="script_invalid", output=said.stderr)
        if not _USERS.search(said.stdout):
            sentence = "Locust finds no User class in the script, so there is nobody to be."
            raise ToolProblem(sentence, code="script_invalid")
        shapes = _SHAPES.findall(said.stdout)
        _refuse_undivided(job, shapes, _FIXED.findall(said.stdout))
        return _prepared(found[1], job, shapes)

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        users = Part(*job.shard).share(job.users or 1)
        argv = [
            str(self.find()),
            *("-f", f"{job.workdir / _TAP_NAME},{job.script}"),
            *("-H", job.target, "-u", str(users), "-r", f"{spawn_rate(users, job.duration):g}"),
            *("-t", f"{run_time_s(job.duration)}s", "--stop-timeout", str(STOP_TIMEOUT_S)),
            *("--headless", "--only-summary", "--json", "--exit-code-on-error", "0"),
            *("--loglevel", "WARNING"),
        ]
        words = {"WEDSYNC_SAMPLES_FD": str(samples_fd), "WEDSYNC_GO_FD": str(go_fd)}
        words |= {
            "WEDSYNC_DENIED": " ".join(job.deny),
            "WEDSYNC_HOSTS": json.dumps(dict(job.hosts)),
        }
        return Command(argv, _environment(job) | words)

    def reader(self) -> "LocustReader":
        return LocustReader()

    def is_ready(self, job: Job, reader: Reader) -> bool:
        return reader.hello

    def go(self, job: Job, go_fd: int) -> None:
        say_go(go_fd, "Locust")

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        return ()

    def share_setup(self, job: Job, data: bytes | None) -> bytes:
        """Nothing: test_start runs in every shard."""
        return b""

    def tear_down(self, job: Job) -> None:
        """Nothing, as for the setup."""

    def explain(self, code: int, stderr: str) -> Ending:
        """Locust says 0 after a stop as well as after a natural end."""
        said = _last_line(stderr)
        if code == 0:
            return Ending("finished", "Locust finished.")
        if code in {-2, -9, -15}:
            return Ending("stopped", "Locust was told to stop.")
        if code == 1:
            return Ending("script_error", f"The script failed: {said}")
        if code == 2:
            return Ending(
                "script_error", f"The script raised an error outside of a request: {said}"
            )
        return Ending("tool_error", f"Locust ended with code {code}: {said}")


class _Ticked(msgspec.Struct):
    users: int
    at: int
    dropped: int
    cells: list[tuple[int, str, str, list[float], int, int]]


class LocustReader(TapReader):
    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0
        self._decode = msgspec.json.Decoder(_Ticked).decode

    def _take(self, line: bytes, batch: Batch) -> None:
        tick = self._decode(line)
        if not all(_makes_sense(*cell[3:]) for cell in tick.cells):
            raise ValueError("not what the tap writes")
        batch.users[tick.at] = tick.users
        self.dropped = max(self.dropped, tick.dropped)
        for second, method, name, latencies, errors, unanswered in tick.cells:
            key = Key(REQUESTS, endpoint(method, name))
            cell = batch.cells.setdefault((second, key), Cell())
            cell.values += latencies
            cell.errors += errors
            cell.unanswered += unanswered


def run_time_s(duration: timedelta) -> int:
    """Locust ends by itself, its users included, before the hard stop at the declared duration."""
    return max(1, math.floor(duration.total_seconds()) - MARGIN_S)


def spawn_rate(users: int, duration: timedelta) -> float:
    """All users are there after a tenth of the run, after ten seconds at the latest."""
    return max(1.0, users / min(MOST_RAMP_S, duration.total_seconds() / 10))


def _makes_sense(latencies: list[float], errors: int, unanswered: int) -> bool:
    fits = 0 <= unanswered <= errors <= len(latencies) + unanswered
    return fits and all(0 <= latency < math.inf for latency in latencies)


def _refuse_undivided(job: Job, shapes: list[str], fixed: list[str]) -> None:
    """Shards know nothing of each other: each has its own users, and nothing else is divided."""
    shards, users = job.shard[1], job.users or 1
    if shards == 1:
        return
    what = ""
    if shapes:
        what = f"The script's LoadTestShape ({', '.join(shapes)}) decides how many users there are"
    elif fixed:
        what = f"The script fixes how many users there are of {', '.join(fixed)} (fixed_count)"
    elif users < shards:
        what = f"The run has {users} users, fewer than its {shards} shards"
    if what:
        sentence = f"{what}, which cannot be divided among workers. Run it as one."
        raise ToolProblem(sentence, code="cannot_divide")


def _prepared(version: str, job: Job, shapes: list[str]) -> Prepared:
    """Locust ends by itself in time, but for a shape, which decides on users and time alone."""
    if not shapes:
        nominal = timedelta(seconds=run_time_s(job.duration))
        return Prepared(version, job.duration, nominal=nominal, peak_users=job.users or 1)
    warning = (
        f"The script's LoadTestShape ({', '.join(shapes)}) decides how many users there are and "
        "for how long: nobody can know before, and only the hard stop at the declared duration "
        "holds."
    )
    return Prepared(version, None, (warning,))


def _environment(job: Job) -> dict[str, str]:
    known = {"TARGET": job.target} | ({} if job.users is None else {"USERS": str(job.users)})
    return scrubbed(
        job,
        os.environ.get("PATH", os.defpath),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONUNBUFFERED="1",
        **known,
        **trusting(job),
        **job.variables,
        **job.secrets,
    )


def _on_path() -> Path | None:
    found = shutil.which("locust")
    return Path(found) if found else None


def _where(job: Job, stderr: str) -> str:
    lines = re.findall(rf'File "{re.escape(str(job.script))}", line (\d+)', stderr)
    return (f"line {lines[-1]}: " if lines else "") + _last_line(stderr)


def _last_line(stderr: str) -> str:
    """The last line of a traceback, which names the error; else the last thing that was said."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)]
    return ([*lines[-1:], *errors[-1:]] or ["it said nothing"])[-1][:300]
