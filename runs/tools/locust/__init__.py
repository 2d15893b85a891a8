"""Runs Locust (https://docs.locust.io/), in an environment of its own: gevent stays out of ours.

tap.py is loaded before the script. It says hello, waits for a byte on an inherited pipe
before any user exists, then hands over what every request took.
"""

import json
import math
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

from runs.tools import Command, Job, OwnVerdict, Prepared, Shell, ToolProblem
from runs.tools.locust import endings
from runs.tools.locust.endings import last_words
from runs.tools.locust.lines import LocustReader
from runs.tools.surroundings import put, scrubbed, trusting
from runs.tools.tapping import Tapped

STOP_TIMEOUT_S = 2
MARGIN_S = STOP_TIMEOUT_S + 1
MOST_RAMP_S = 10.0
PROCESSES, MOST_PROCESSES = "LOCUST_PROCESSES", 64
"""The variable that asks for several processes, by Locust's own name for it."""
TAGS = {"LOCUST_TAGS": "--tags", "LOCUST_EXCLUDE_TAGS": "--exclude-tags"}
OPTIONS = """
AUTOQUIT AUTOSTART BUILD_PATH CONFIG_USERS CSV CSV_FULL_HISTORY ENABLE_OPENTELEMETRY EXCLUDE_TAGS
EXIT_CODE_ON_ERROR EXPECT_WORKERS EXPECT_WORKERS_MAX_WAIT HEADFUL HEADLESS HOST HTML LEGACY_UI
LOCUSTFILE LOGFILE LOGLEVEL MASTER_BIND_HOST MASTER_BIND_PORT MASTER_NODE_HOST MASTER_NODE_PORT
MODE_MASTER MODE_WORKER ONLY_SUMMARY PRINT_STATS PROCESSES RESET_STATS RUN_TIME SKIP_LOG_SETUP
SPAWN_RATE STOP_TIMEOUT TAGS TLS_CERT TLS_KEY USERCLASS_PICKER USERS WEB_AUTH WEB_BASE_PATH WEB_HOST
WEB_HOST_DISPLAY_NAME WEB_LOGIN WEB_PORT
"""
"""Of Locust 2.47, which reads them as LOCUST_…; scripts have a LOCUST_PASSWORD and the like."""
_LOOK, _REACH, _TAP, _LAST, _SHARDS = _OURS = ("look", "reach", "tap", "last", "shards")
_VENV = Path(__file__).resolve().parents[3] / ".venv-locust" / "bin" / "locust"
_USERS = re.compile(r"^Available Users:\s+\S", re.MULTILINE)
_SHAPES = re.compile(r"^wedsync shape: (\w+)$", re.MULTILINE)
_HOSTS = re.compile(r"^wedsync host: (.+)$", re.MULTILINE)
_SHORT_S, _LOAD_S = 20.0, 30.0


class Locust(Tapped):
    name = "locust"
    latency_kind = "locust response_time: the whole call with its body, and connecting when new"
    script_name = "wedsync_script.py"  # a locustfile.py may lie beside it and be imported
    options = (PROCESSES, *TAGS)
    reserved = tuple(f"LOCUST_{word}" for word in OPTIONS.split())
    explain = staticmethod(endings.explain)

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
            sentence = f"Locust does not start: {last_words(said.stderr)}"
            raise ToolProblem(sentence, code="tool_error")
        if not found[1].startswith("2."):
            sentence = (
                f"Locust {found[1]} is not known here; 2.x is. Run ./wedsync tools to get it."
            )
            raise ToolProblem(sentence, code="tool_unknown_version")
        _copy_ours(job)
        said = shell([locust, "-f", _files(job, _LOOK), "--list"], env, _LOAD_S)
        if said.code:
            sentence = f"Locust cannot load the script: {_where(job, said.stderr)}"
            raise ToolProblem(sentence, code="script_invalid", output=said.stderr)
        if not _USERS.search(said.stdout):
            sentence = "Locust finds no User class in the script, so there is nobody to be."
            raise ToolProblem(sentence, code="script_invalid")
        _processes(job)
        _tags(job)
        return _prepared(found[1], job, said.stdout)

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        """The host goes without its last slash: FastHttpUser refuses "//", which it made of "/"."""
        users, (number, of) = job.users or 1, job.shard
        ours = (_REACH, _TAP, _LAST, *((_SHARDS,) if of > 1 else ()))
        argv = [
            str(self.find()),
            *("-f", _files(job, *ours)),
            *("-H", job.target.rstrip("/"), "-u", str(users)),
            *("-r", f"{spawn_rate(users, job.duration):g}"),
            *("-t", f"{run_time_s(job.duration)}s", "--stop-timeout", str(STOP_TIMEOUT_S)),
            *_tags(job),
            *("--headless", "--only-summary", "--exit-code-on-error", "0"),
            *("--loglevel", "WARNING", *_several(job)),
        ]
        words = {"WEDSYNC_SAMPLES_FD": str(samples_fd), "WEDSYNC_GO_FD": str(go_fd)}
        words |= {
            "WEDSYNC_DENIED": " ".join(job.deny),
            "WEDSYNC_HOSTS": json.dumps(dict(job.hosts)),
            "WEDSYNC_SHARD": f"{number}/{of}",
        }
        return Command(argv, _environment(job) | words)

    def reader(self, job: Job | None = None) -> LocustReader:
        return LocustReader()

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        return ()


def _processes(job: Job) -> int:
    """Raises ToolProblem where it is no sensible number, or this is a shard."""
    said = job.variables.get(PROCESSES, "1")
    if not re.fullmatch(r"[1-9]\d?", said) or (number := int(said)) > MOST_PROCESSES:
        sentence = f"{PROCESSES} is “{said}”; it is a number from 1 to {MOST_PROCESSES} here."
        raise ToolProblem(sentence, code="script_invalid")
    if number > 1 and job.shard[1] > 1:
        sentence = (
            f"A shard of Locust is one process, but {PROCESSES} is {said}. Ask for more shards."
        )
        raise ToolProblem(sentence, code="script_invalid")
    return number


def _several(job: Job) -> list[str]:
    """Locust's own master and workers, who meet on loopback at this run's own port."""
    number, port = _processes(job), str(job.port)
    if number == 1:
        return []
    return [
        *("--processes", str(number), "--master-bind-host", "127.0.0.1"),
        *("--master-bind-port", port, "--master-host", "127.0.0.1", "--master-port", port),
    ]


def _tags(job: Job) -> list[str]:
    """Raises ToolProblem where a tag would be an option of its own."""
    argv = []
    for name, option in TAGS.items():
        tags = job.variables.get(name, "").split()
        if wrong := [tag for tag in tags if tag.startswith("-")]:
            sentence = f"{name} holds “{wrong[0]}”; it is tags with spaces between them."
            raise ToolProblem(sentence, code="script_invalid")
        argv += [option, *tags] if tags else []
    return argv


def run_time_s(duration: timedelta) -> int:
    """Locust ends by itself, its users included, before the hard stop at the declared duration."""
    return max(1, math.floor(duration.total_seconds()) - MARGIN_S)


def spawn_rate(users: int, duration: timedelta) -> float:
    """All users are there after a tenth of the run, after ten seconds at the latest."""
    return max(1.0, users / min(MOST_RAMP_S, duration.total_seconds() / 10))


def _copy_ours(job: Job) -> None:
    """Locust may run as a user who cannot read this checkout."""
    for name in _OURS:
        ours = Path(__file__).with_name(f"{name}.py").read_bytes()
        put(job.workdir, f"wedsync_{name}.py", ours)


def _files(job: Job, *ours: str) -> str:
    """In the order in which Locust loads them."""
    names = [f"wedsync_{name}.py" for name in ours]
    return ",".join(str(path) for path in (*(job.workdir / name for name in names), job.script))


def _prepared(version: str, job: Job, looked: str) -> Prepared:
    """Locust ends by itself in time, but for a shape, which decides on users and time alone."""
    shapes, hosts = _SHAPES.findall(looked), _HOSTS.findall(looked)
    warnings = []
    if len(hosts) > 1:
        warnings.append(
            f"The script's User classes name {len(hosts)} hosts ({', '.join(hosts)}); here all of "
            "them load the target, as with Locust's own --host."
        )
    if not shapes:
        nominal = timedelta(seconds=run_time_s(job.duration))
        peak = job.users or 1
        return Prepared(version, job.duration, tuple(warnings), nominal=nominal, peak_users=peak)
    warnings.append(
        f"The script's LoadTestShape ({', '.join(shapes)}) decides how many users there are and "
        "for how long: nobody can know before, and only the hard stop at the declared duration "
        "holds."
    )
    return Prepared(version, None, tuple(warnings))


def _environment(job: Job) -> dict[str, str]:
    return scrubbed(
        job,
        os.environ.get("PATH", os.defpath),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONUNBUFFERED="1",
        **job.known,
        **trusting(job),
        **{name: value for name, value in job.variables.items() if name not in Locust.options},
        **job.secrets,
    )


def _on_path() -> Path | None:
    found = shutil.which("locust")
    return Path(found) if found else None


def _where(job: Job, stderr: str) -> str:
    lines = re.findall(rf'File "{re.escape(str(job.script))}", line (\d+)', stderr)
    return (f"line {lines[-1]}: " if lines else "") + last_words(stderr)
