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
from typing import Any

import httpx

from runs.tools import (
    Command,
    Ending,
    Job,
    OwnVerdict,
    Prepared,
    Reader,
    Shell,
    ToolProblem,
    k6_archive,
    k6_endings,
    k6_loading,
    k6_options,
    k6_plan,
    k6_rest,
    k6_shards,
    k6_version,
)
from runs.tools.k6_lines import K6Reader
from runs.tools.k6_summary import read_thresholds
from runs.tools.k6_thresholds import K6Judge

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

    def find(self) -> Path:
        if configured := os.environ.get("WEDSYNC_K6"):
            return _checked(Path(configured))
        if found := shutil.which("k6"):
            return Path(found)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return _checked(cache / "wedsync" / f"k6-{k6_version.VERSION}" / "k6")

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        k6, env = str(self.find()), k6_options.environment(job)
        version = k6_version.ask(k6, env, shell)
        k6_options.keep_config(job)
        archive = job.workdir / _ARCHIVE
        k6_loading.archive(k6, job, shell, archive)
        if job.hosts:
            k6_archive.map_hosts(archive, job.hosts)
        plan = k6_loading.inspect(k6, job, shell, archive)
        (job.workdir / _PLAN).write_text(json.dumps(plan), encoding="utf-8")
        return _prepared(version, plan, job)

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        plan = json.loads((job.workdir / _PLAN).read_text(encoding="utf-8"))
        denied = sorted({*job.deny, *(plan.get("blacklistIPs") or ())})
        argv = [
            str(self.find()),
            "run",
            *("--quiet", "--no-color", "--log-format", "raw", "--log-output", "stderr"),
            *("--paused", "--address", k6_rest.address(job)),
            *k6_options.variables(job),
            *k6_options.config(job),
            *k6_shards.segment(job.shard),
            *("--system-tags", ",".join(k6_plan.system_tags(plan))),
            *("--summary-export", str(job.workdir / _SUMMARY)),
            *(word for network in denied for word in ("--blacklist-ip", network)),
            *("--out", f"json=/dev/fd/{samples_fd}"),
            str(job.workdir / _ARCHIVE),
        ]
        return Command(argv, k6_options.environment(job))

    def reader(self, job: Job | None = None) -> K6Reader:
        return K6Reader(speaks=job is not None and bool(_speaks(job)))

    def is_ready(self, job: Job, reader: Reader) -> bool:
        """Every virtual user is initialised and k6 waits to be resumed."""
        with (
            contextlib.suppress(httpx.HTTPError, ValueError, LookupError, TypeError),
            k6_rest.api(job) as api,
        ):
            status = api.get("/v1/status").raise_for_status().json()
            return bool(status["data"]["attributes"]["status"] == _PAUSED)
        return False

    def go(self, job: Job, go_fd: int) -> None:
        attributes = {"paused": False}
        body = {"data": {"type": "status", "id": "default", "attributes": attributes}}
        try:
            with k6_rest.own_api(job, go_fd) as api:
                api.patch("/v1/status", json=body).raise_for_status()
        except httpx.HTTPError as error:
            sentence = (
                "k6 was ready but could not be told to go; it was stopped. Start the run again."
            )
            raise ToolProblem(sentence, code="tool_error") from error

    def share_setup(self, job: Job, go_fd: int, data: bytes | None) -> bytes:
        with k6_rest.own_api(job, go_fd) as api:
            return k6_shards.share_setup(api, job, job.workdir / _ARCHIVE, data)

    def tear_down(self, job: Job, go_fd: int) -> None:
        with k6_rest.own_api(job, go_fd) as api:
            k6_shards.tear_down(api, job)

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        """No shard sees the whole test, so k6 judges its thresholds in none of them."""
        if job.shard[1] == 1:
            return read_thresholds(job.workdir / _SUMMARY)
        plan = json.loads((job.workdir / _PLAN).read_text(encoding="utf-8"))
        return tuple(OwnVerdict(text, None) for text in k6_plan.own_thresholds(plan))

    def judge(self, thresholds: Iterable[str]) -> K6Judge:
        return K6Judge(thresholds)

    def explain(self, code: int, stderr: str) -> Ending:
        return k6_endings.explain(code, stderr)


def _checked(path: Path) -> Path:
    if path.is_file() and os.access(path, os.X_OK):
        return path
    raise ToolProblem(
        f"k6 is not installed: it is neither on PATH nor at {path}. "
        "Run ./wedsync tools to get it, or let WEDSYNC_K6 name it.",
        code="tool_missing",
    )


def _speaks(job: Job) -> bool | None:
    return k6_archive.speaks(job.workdir / _ARCHIVE)


def _prepared(version: str, plan: Mapping[str, Any], job: Job) -> Prepared:
    """Refused by k6's totalDuration: setup() and teardown() come on top, up to the hard stop."""
    total = k6_plan.parse_duration(str(plan.get("totalDuration")))
    k6_plan.refuse_longer(total, job.duration)
    archive, scenarios = job.workdir / _ARCHIVE, k6_plan.scenarios(plan)
    worst = total + k6_plan.around_it(plan)
    users = plan.get("maxVUs")
    return Prepared(
        version,
        worst,
        warnings=(_MUTE,) if _speaks(job) is False else (),
        nominal=k6_plan.nominal(scenarios),
        peak_users=users if isinstance(users, int) else None,
        peak_rate=k6_plan.peak_rate(scenarios),
        thresholds=k6_plan.own_thresholds(plan),
        digest=k6_archive.digest(archive) if archive.exists() else "",
    )
