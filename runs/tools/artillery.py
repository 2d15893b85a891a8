"""Runs Artillery (https://www.artillery.io/docs), a process of Node's; the script stays untouched.

Two plugins of ours are put in by environment. The plan plugin tells what the script comes to and
ends Artillery before any traffic; the tap waits for "go", then hands over what is measured.
"""

import json
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import msgspec

from clock import iso
from runs.shards.shares import Part
from runs.tools import (
    Command,
    Ending,
    Finished,
    Job,
    Kind,
    OwnVerdict,
    Prepared,
    Reader,
    Shell,
    ToolProblem,
    artillery_plan,
    artillery_shards,
    read_left,
    scrubbed,
)
from runs.tools.artillery_lines import ArtilleryReader
from runs.tools.tapping import say_go

VERSION = "2.0.34"
NODE_AT_LEAST = (22, 18)
ENVIRONMENT = "ARTILLERY_ENVIRONMENT"
"""The variable that chooses one of the script's config.environments."""
_PLUGINS = Path(__file__).with_name("artillery_plugins")
_COPY, _PLAN, _CHECKS = "wedsync-plugins", "wedsync-plan.json", "wedsync-checks.json"
_NOWHERE = "0.0.0.0/0 ::/0"
_LOAD_S = 60.0
_LARGEST = 32 << 20  # a script has 16 MiB at most
_NOISE = ("Test run id", "at ", "WARNING", "Error: Build failed with")
_MODULE = re.compile(r"^(export (const|let|var|default)\b|module\.exports|exports\.)", re.MULTILINE)


class Artillery:
    name = "artillery"
    latency_kind = "artillery http.response_time: to the first byte, in whole milliseconds"
    script_name = "script.yml"
    is_steered_from_outside = False

    def find(self) -> Path:
        """Artillery's own entry file, which Node executes."""
        if configured := os.environ.get("WEDSYNC_ARTILLERY"):
            return _checked(Path(configured))
        cached = _cache() / "node_modules" / "artillery" / "bin" / "run"
        if not cached.is_file() and (found := shutil.which("artillery")):
            return Path(found).resolve()
        return _checked(cached)

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        """Let the plan plugin write what the script comes to, with every network denied."""
        _copy_plugins(job)
        if (script := _script(job)) != job.script:
            shutil.copyfile(job.script, script)
            script.chmod(0o644)
        (job.workdir / _PLAN).unlink(missing_ok=True)
        env = self._environment(job, "wedsync-plan", WEDSYNC_DENIED=_NOWHERE)
        said = shell(self._argv(job), env, _LOAD_S)
        plan = _read_plan(job, said)
        _refuse_longer(plan.nominal, job.duration)
        if job.shard[1] > 1:
            artillery_shards.refuse_undivided(plan.phases, job.shard[1])
        return Prepared(
            version=plan.artillery,
            worst_case=None,
            warnings=_warnings(job, plan),
            nominal=plan.nominal,
            peak_users=plan.peak_users,
            peak_rate=plan.peak_rate,
            hosts=plan.hosts,
            thresholds=plan.thresholds,
        )

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        env = self._environment(
            job,
            "wedsync-tap",
            WEDSYNC_DENIED=" ".join(job.deny),
            WEDSYNC_SAMPLES_FD=str(samples_fd),
            WEDSYNC_GO_FD=str(go_fd),
        )
        return Command(self._argv(job, *_overrides(job)), env)

    def reader(self) -> ArtilleryReader:
        return ArtilleryReader()

    def is_ready(self, job: Job, reader: Reader) -> bool:
        return reader.hello

    def go(self, job: Job, go_fd: int) -> None:
        say_go(go_fd, "Artillery")

    def share_setup(self, job: Job, data: bytes | None) -> bytes:
        """Nothing: "before" and "after" of the script run in every shard."""
        return b""

    def tear_down(self, job: Job) -> None:
        """Nothing, as for the setup."""

    def explain(self, code: int, stderr: str) -> Ending:
        if code == 1 and (failed := re.findall(r"^fail: (.*?)(?<! \(optional\))$", stderr, re.M)):
            return Ending("thresholds_crossed", f"The script's ensure failed: {failed[-1]}.")
        kind, sentence = _ENDINGS.get(code, ("tool_error", f"Artillery ended with code {code}"))
        said = _useful_line(stderr)
        if kind in {"script_error", "tool_error"} and said:
            sentence = f"{sentence}: {said}"
        return Ending(kind, sentence.rstrip(".") + ".")

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        """Ensure's checks. An optional one that failed has no say, so it is told and not judged."""
        try:
            told = read_left(job.workdir / _PLAN, _LARGEST)
            plan = msgspec.json.decode(told, type=artillery_plan.Plan)
        except (OSError, ValueError, RecursionError):
            return ()
        try:
            told = read_left(job.workdir / _CHECKS, _LARGEST)
            checks = msgspec.json.decode(told, type=list[tuple[str, bool, bool]])
        except (OSError, ValueError, RecursionError):
            return tuple(OwnVerdict(text, None) for text in plan.thresholds)
        return tuple(
            OwnVerdict(text, held) if strict or held else OwnVerdict(f"{text} (optional)", None)
            for text, strict, held in checks
        )

    def _argv(self, job: Job, *more: str) -> list[str]:
        """The same for plan and run, so that what is judged is what runs."""
        variables = {**job.variables, "TARGET": job.target, **_users(job)}
        environment = variables.pop(ENVIRONMENT, None)
        return [
            str(_node(self.find())),
            str(self.find()),
            *("run", "--quiet", "--target", job.target),
            *("--variables", json.dumps(variables)),
            *(("--environment", environment) if environment else ()),
            *more,
            str(_script(job)),
        ]

    def _environment(self, job: Job, plugin: str, **more: str) -> dict[str, str]:
        """Nothing of the script's can take the place of what holds it."""
        entry = self.find()
        plugins = job.workdir / _COPY
        path = f"{_node(entry).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        own = {
            "ARTILLERY_DISABLE_TELEMETRY": "1",
            "ARTILLERY_PLUGINS": json.dumps({plugin: {"scope": "artillery-plugin-"}}),
            "ARTILLERY_PLUGIN_PATH": f"{plugins}:{job.workdir}:{job.workdir}/node_modules",
            "NODE_PATH": f"{job.workdir}/node_modules:{_modules(entry)}",
            "NODE_OPTIONS": f'--require "{plugins}/preload.cjs"',
            "WEDSYNC_PLAN": str(job.workdir / _PLAN),
            "WEDSYNC_CHECKS": str(job.workdir / _CHECKS),
            "WEDSYNC_HOSTS": json.dumps({name.lower(): at for name, at in job.hosts.items()}),
            "TARGET": job.target,
            **_users(job),
        }
        if job.ca is not None:
            own["NODE_EXTRA_CA_CERTS"] = str(job.ca)
        return {**job.secrets, **scrubbed(job, path, **own, **more)}


_ENDINGS: dict[int, tuple[Kind, str]] = {
    0: ("finished", "Artillery finished"),
    1: ("script_error", "The script failed"),
    2: ("tool_error", "Artillery does not accept the way it was started"),
    3: ("tool_error", "Artillery lost its supervisor"),
    11: ("script_error", "The script failed in a worker of Artillery"),
    21: ("thresholds_crossed", "An expectation of the script's expect plugin was not met"),
    130: ("stopped", "Artillery was told to stop"),
    143: ("stopped", "Artillery was told to stop"),
    -2: ("stopped", "Artillery was told to stop"),
    -9: ("stopped", "Artillery was killed"),
    -15: ("stopped", "Artillery was told to stop"),
}


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


def _modules(entry: Path) -> Path:
    return entry.parents[2] if len(entry.parents) > 2 else entry.parent


def _node(entry: Path) -> Path:
    """The Node that was installed with it, else the one on PATH."""
    beside = _modules(entry).parent / "bin" / "node"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("node")
    if found is None:
        sentence = "Artillery needs Node.js, and it is not on PATH. Run ./wedsync tools to get it."
        raise ToolProblem(sentence, code="tool_missing")
    return Path(found).resolve()


def _script(job: Job) -> Path:
    """Artillery tells a module (JavaScript, TypeScript) from YAML and JSON by the file's name."""
    text = _own(job.script).decode("utf-8", "replace")
    return job.script.with_suffix(".ts") if _MODULE.search(text) else job.script


def _own(path: Path) -> bytes:
    """Raises ToolProblem where the script's own code has put something else there."""
    try:
        return read_left(path, _LARGEST)
    except OSError as error:
        raise ToolProblem(
            f"{path.name} in the work directory is no longer the file that was put there "
            f"({error.strerror}): the script changed it while it was loaded. Let it leave that "
            "file alone.",
            code="script_invalid",
        ) from None


def _users(job: Job) -> dict[str, str]:
    return {} if job.users is None else {"USERS": str(job.users)}


def _overrides(job: Job) -> tuple[str, ...]:
    """A shard's own phases, from the plan of the whole script."""
    if job.shard[1] == 1:
        return ()
    phases = artillery_plan.read(_own(job.workdir / _PLAN)).phases
    own = artillery_shards.divide(phases, Part(*job.shard))
    return "--overrides", json.dumps({"config": {"phases": own}})


def _copy_plugins(job: Job) -> None:
    """Into the work directory: Artillery may run as a user who cannot read this checkout."""
    copy = job.workdir / _COPY
    shutil.copytree(_PLUGINS, copy, dirs_exist_ok=True)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _read_plan(job: Job, said: Finished) -> artillery_plan.Plan:
    try:
        data = read_left(job.workdir / _PLAN, _LARGEST)
    except OSError:
        words = f"{said.stdout}\n{said.stderr}"
        line = _useful_line(words).replace(f"{job.workdir}/", "")
        sentence = f"Artillery cannot load the script: {line or f'it ended with code {said.code}'}"
        raise ToolProblem(sentence, code="script_invalid", output=words) from None
    return artillery_plan.read(data)


def _refuse_longer(nominal: timedelta, declared: timedelta) -> None:
    """Raises ToolProblem ("plan_too_long") where its phases outlast the declared time."""
    if nominal > declared:
        raise ToolProblem(
            f"The script's phases take {iso.format_duration(nominal)} but the run declares "
            f"{iso.format_duration(declared)}. Declare more than the phases: the users who come "
            "last need time to finish, else they are cut off at the declared duration.",
            code="plan_too_long",
        )


def _warnings(job: Job, plan: artillery_plan.Plan) -> tuple[str, ...]:
    found = []
    if plan.peak_users is None:
        found.append(
            "A phase of the script sets no maxVusers: users pile up without limit while the site "
            "is slow."
        )
    if plan.ensure and "ensure" not in plan.plugins:
        found.append(
            "The script has config.ensure but not the plugin: without “plugins: {ensure: {}}” "
            "Artillery judges none of it."
        )
    if plan.artillery != VERSION:
        found.append(f"This is Artillery {plan.artillery}; WedSync is tested with {VERSION}.")
    if _version(plan.node) < NODE_AT_LEAST:
        found.append(f"Artillery asks for Node 22.18 or newer; this is {plan.node}.")
    return tuple(found)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _useful_line(words: str) -> str:
    """The line that names an error, else the last one that was said."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_NOISE)]
    errors = [line for line in lines if re.search(r"\b(\w*Error|\w*Exception|ERROR)\b:", line)]
    return ([*errors[:1], *lines[-1:]] or [""])[0].removeprefix("Error: ")[:300]
