"""Runs k6 (https://grafana.com/docs/k6/), as a process of its own; k6 is AGPL and stays outside.

The script is archived once and that archive is inspected and run, so that what was judged is what
runs. Load comes from the script alone: `users` only reaches it as USERS, beside TARGET.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import httpx
import msgspec

from runs.tools import Command, Job, OwnVerdict, Prepared, Reader, Shell, ToolProblem
from runs.tools.k6 import archives, endings, loading, options, plans, rest, shards, versions
from runs.tools.k6.lines import K6Reader
from runs.tools.k6.summary import LARGEST, read_thresholds
from runs.tools.k6.thresholds import K6Judge
from runs.tools.surroundings import put, read_left

_ARCHIVE, _PLAN = "wedsync-archive.tar", "wedsync-inspect.json"
_SUMMARY = "wedsync-summary.json"
_PAUSED = 4
_MUTE = (
    "The script makes no request over a protocol that k6 measures: its iterations are counted as "
    "requests."
)


class K6:
    name = "k6"
    latency_kind = "k6 http_req_duration: sending, waiting and receiving, without connecting"
    script_name = "wedsync-script.js"
    is_steered_from_outside = True
    options = ()
    reserved = ()
    explain = staticmethod(endings.explain)

    def find(self) -> Path:
        if configured := os.environ.get("WEDSYNC_K6"):
            return _checked(Path(configured))
        if found := shutil.which("k6"):
            return Path(found)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return _checked(cache / "wedsync" / f"k6-{versions.VERSION}" / "k6")

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        k6, env = str(self.find()), options.environment(job)
        version = versions.ask(k6, env, shell)
        options.keep_config(job)
        archive = job.workdir / _ARCHIVE
        loading.archive(k6, job, shell, archive)
        if job.hosts:
            archives.map_hosts(archive, job.hosts)
        plan = loading.inspect(k6, job, shell, archive)
        put(job.workdir, _PLAN, json.dumps(plan).encode())
        return _prepared(version, plan, job)

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        plan = _kept_plan(job)
        denied = sorted({*job.deny, *(plan.get("blacklistIPs") or ())})
        argv = [
            str(self.find()),
            "run",
            *("--quiet", "--no-color", "--log-format", "raw", "--log-output", "stderr"),
            *("--paused", "--address", rest.address(job)),
            *options.variables(job),
            *options.config(job),
            *shards.segment(job.shard),
            *("--system-tags", ",".join(plans.system_tags(plan))),
            *("--summary-export", str(job.workdir / _SUMMARY)),
            *(word for network in denied for word in ("--blacklist-ip", network)),
            *("--out", f"json=/dev/fd/{samples_fd}"),
            str(job.workdir / _ARCHIVE),
        ]
        return Command(argv, options.environment(job))

    def reader(self, job: Job | None = None) -> K6Reader:
        return K6Reader(speaks=job is not None and bool(_speaks(job)))

    def is_ready(self, job: Job, reader: Reader) -> bool:
        """Every virtual user is initialised and k6 waits to be resumed."""
        with (
            contextlib.suppress(httpx.HTTPError, ValueError, LookupError, TypeError),
            rest.api(job) as api,
        ):
            status = api.get("/v1/status").raise_for_status().json()
            return bool(status["data"]["attributes"]["status"] == _PAUSED)
        return False

    def go(self, job: Job, go_fd: int) -> None:
        attributes = {"paused": False}
        body = {"data": {"type": "status", "id": "default", "attributes": attributes}}
        try:
            with rest.own_api(job, go_fd) as api:
                api.patch("/v1/status", json=body).raise_for_status()
        except httpx.HTTPError as error:
            sentence = (
                "k6 was ready but could not be told to go; it was stopped. Start the run again."
            )
            raise ToolProblem(sentence, code="tool_error") from error

    def share_setup(self, job: Job, go_fd: int, data: bytes | None) -> bytes:
        with rest.own_api(job, go_fd) as api:
            return shards.share_setup(api, job, job.workdir / _ARCHIVE, data)

    def tear_down(self, job: Job, go_fd: int) -> None:
        with rest.own_api(job, go_fd) as api:
            shards.tear_down(api, job)

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        return read_thresholds(job.workdir / _SUMMARY)

    def judge(self, thresholds: Iterable[str]) -> K6Judge:
        return K6Judge(thresholds)


def _checked(path: Path) -> Path:
    if path.is_file() and os.access(path, os.X_OK):
        return path
    raise ToolProblem(
        f"k6 is not installed: it is neither on PATH nor at {path}. "
        "Run ./wedsync tools to get it, or let WEDSYNC_K6 name it.",
        code="tool_missing",
    )


class _Kept(TypedDict, total=False):
    blacklistIPs: list[str] | None
    systemTags: list[str] | None
    thresholds: dict[str, Any] | None


def _kept_plan(job: Job) -> _Kept:
    """Raises ToolProblem where a script that has run already wrote over it."""
    try:
        return msgspec.json.decode(read_left(job.workdir / _PLAN, LARGEST), type=_Kept)
    except (OSError, ValueError, RecursionError) as error:
        raise ToolProblem(
            f"The script wrote over {_PLAN}, which k6 needs for its teardown(). Let the script "
            "write its own files under other names.",
            code="script_invalid",
        ) from error


def _speaks(job: Job) -> bool | None:
    return archives.speaks(job.workdir / _ARCHIVE)


def _prepared(version: str, plan: Mapping[str, Any], job: Job) -> Prepared:
    """Refused by k6's totalDuration: setup() and teardown() come on top, up to the hard stop."""
    total = plans.parse_duration(str(plan.get("totalDuration")))
    plans.refuse_longer(total, job.duration)
    archive, scenarios = job.workdir / _ARCHIVE, plans.scenarios(plan)
    worst = total + plans.around_it(plan)
    users = plan.get("maxVUs")
    return Prepared(
        version,
        worst,
        warnings=(_MUTE,) if _speaks(job) is False else (),
        nominal=plans.nominal(scenarios),
        peak_users=users if isinstance(users, int) else None,
        peak_rate=plans.peak_rate(scenarios),
        thresholds=plans.own_thresholds(plan),
        digest=archives.digest(archive) if archive.exists() else "",
    )
