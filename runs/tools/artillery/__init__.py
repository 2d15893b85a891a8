"""Runs Artillery (https://www.artillery.io/docs), a process of Node's; the script stays untouched.

Two plugins of ours are put in by environment. The plan plugin tells what the script comes to and
ends Artillery before any traffic; the tap waits for "go", then hands over what is measured.
"""

import json
import os
from datetime import timedelta
from pathlib import Path

import msgspec

from clock import iso
from runs.tools import Command, Job, OwnVerdict, Prepared, Shell, ToolProblem
from runs.tools.artillery import endings, installed, loading, plans, scripts, shards, warnings
from runs.tools.artillery.lines import ArtilleryReader
from runs.tools.surroundings import put, read_left, scrubbed
from runs.tools.tapping import Tapped

_PLUGINS = Path(__file__).with_name("plugins")
_COPY, _CHECKS = Path("wedsync-plugins"), "wedsync-checks.json"
_NOWHERE = "0.0.0.0/0 ::/0"


class Artillery(Tapped):
    name = "artillery"
    latency_kind = (
        "artillery: HTTP to the first byte, in whole ms; a message until it is sent or answered; "
        "else the session"
    )
    script_name = "wedsync-script.yml"  # no file of a run can have this name
    options = tuple(scripts.OPTIONS)
    reserved = ()
    find = staticmethod(installed.find)
    explain = staticmethod(endings.explain)

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        """Let the plan plugin write what the script comes to, with every network denied."""
        _copy_plugins(job)
        scripts.refuse_missing(job)
        scripts.put(job)
        env = self._environment(job, "wedsync-plan", WEDSYNC_DENIED=_NOWHERE)
        plan, said = loading.plan(self._argv(job, is_part=False), env, job, shell)
        _refuse_longer(plan.nominal, job.duration)
        if job.shard[1] > 1:
            shards.refuse_undivided(plan.phases, job.shard[1])
        return Prepared(
            version=plan.artillery,
            worst_case=None,
            warnings=warnings.of(plan, said, job.shard[1]),
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
        return Command(self._argv(job, is_part=True), env)

    def reader(self, job: Job | None = None) -> ArtilleryReader:
        return ArtilleryReader()

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        """Ensure's checks. An optional one that failed has no say, so it is told and not judged."""
        try:
            told = read_left(job.workdir / scripts.PLAN, scripts.LARGEST)
            plan = msgspec.json.decode(told, type=plans.Plan)
        except (OSError, ValueError, RecursionError):
            return ()
        try:
            told = read_left(job.workdir / _CHECKS, scripts.LARGEST)
            checks = msgspec.json.decode(told, type=list[tuple[str, bool, bool]])
        except (OSError, ValueError, RecursionError):
            return tuple(OwnVerdict(text, None) for text in plan.thresholds)
        return tuple(
            OwnVerdict(text, held) if strict or held else OwnVerdict(f"{text} (optional)", None)
            for text, strict, held in checks
        )

    def _argv(self, job: Job, *, is_part: bool) -> list[str]:
        """The same for plan and run, so that what is judged is what runs."""
        variables = scripts.variables(job) | job.known
        entry = self.find()
        return [
            str(installed.node(entry)),
            str(entry),
            *("run", "--quiet", "--target", job.target),
            *("--variables", json.dumps(variables)),
            *scripts.options(job),
            *scripts.overrides(job, is_part=is_part),
            str(scripts.place(job)),
        ]

    def _environment(self, job: Job, plugin: str, **more: str) -> dict[str, str]:
        """Nothing of the script's can take the place of what holds it."""
        entry = self.find()
        node, modules = installed.node(entry), installed.modules(entry)
        plugins = job.workdir / _COPY
        path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        own = {
            "ARTILLERY_DISABLE_TELEMETRY": "1",
            "ARTILLERY_PLUGINS": json.dumps({plugin: {"scope": "artillery-plugin-"}}),
            "ARTILLERY_PLUGIN_PATH": f"{plugins}:{job.workdir}:{job.workdir}/node_modules",
            "NODE_PATH": f"{job.workdir}/node_modules:{job.workdir}:{modules}",
            "NODE_OPTIONS": f'--require "{plugins}/preload.cjs"',
            "WEDSYNC_PLAN": str(job.workdir / scripts.PLAN),
            "WEDSYNC_CHECKS": str(job.workdir / _CHECKS),
            "WEDSYNC_CORE": str(installed.core(entry)),
            "WEDSYNC_HOSTS": json.dumps({name.lower(): at for name, at in job.hosts.items()}),
            **job.known,
        }
        if job.ca is not None:
            own["NODE_EXTRA_CA_CERTS"] = str(job.ca)
        brought = {**scripts.variables(job), **job.secrets}
        return {**brought, **scrubbed(job, path, **own, **more)}


def _copy_plugins(job: Job) -> None:
    """Into the work directory: Artillery may run as a user who cannot read this checkout."""
    for path in filter(Path.is_file, _PLUGINS.rglob("*")):
        put(job.workdir, _COPY / path.relative_to(_PLUGINS), path.read_bytes())


def _refuse_longer(nominal: timedelta, declared: timedelta) -> None:
    """Raises ToolProblem ("plan_too_long") where its phases outlast the declared time."""
    if nominal > declared:
        raise ToolProblem(
            f"The script's phases take {iso.format_duration(nominal)} but the run declares "
            f"{iso.format_duration(declared)}. Declare more than the phases: the users who come "
            "last need time to finish, else they are cut off at the declared duration.",
            code="plan_too_long",
        )
