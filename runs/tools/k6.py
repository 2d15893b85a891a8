"""Runs k6 (https://grafana.com/docs/k6/), as a process of its own; k6 is AGPL and stays outside.

The script is archived once and that archive is inspected and run, so that what was judged is what
runs. Load comes from the script alone: `users` only reaches it as USERS, beside TARGET.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

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
    k6_archive,
    k6_plan,
    k6_shards,
    scrubbed,
    trusting,
)
from runs.tools.k6_lines import K6Reader
from runs.tools.k6_summary import read_thresholds

VERSION = "1.8.1"
_MAJORS = ("1", "2")
_ARCHIVE, _PLAN, _CONFIG = "archive.tar", "inspect.json", "k6-config.json"
_SUMMARY = "k6-summary.json"
_SHORT_S, _LOAD_S = 10.0, 30.0
_TAGS = "status,method,name,scenario,group,check,error,error_code,expected_response"
_PAUSED = 4


class K6:
    name = "k6"
    latency_kind = "k6 http_req_duration: sending, waiting and receiving, without connecting"
    script_name = "script.js"
    is_steered_from_outside = True

    def find(self) -> Path:
        if configured := os.environ.get("WEDSYNC_K6"):
            return _checked(Path(configured))
        if found := shutil.which("k6"):
            return Path(found)
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return _checked(cache / "wedsync" / f"k6-{VERSION}" / "k6")

    def prepare(self, job: Job, shell: Shell) -> Prepared:
        k6, env = str(self.find()), _environment(job)
        version = _version(shell([k6, "version"], env, _SHORT_S))
        quiet = ["--quiet", "--no-color", "--log-format", "raw"]
        _keep_config(job)
        archive = job.workdir / _ARCHIVE
        words = [*quiet, "--exclude-env-vars", *_config(job), *_variables(job)]
        argv = [k6, "archive", *words, "-O", str(archive), str(job.script)]
        _expect(shell(argv, env, _LOAD_S), job)
        if job.hosts:
            k6_archive.map_hosts(archive, job.hosts)
        words = [*quiet, "--execution-requirements", *_variables(job)]
        plan = _read_plan(_expect(shell([k6, "inspect", *words, str(archive)], env, _LOAD_S), job))
        (job.workdir / _PLAN).write_text(json.dumps(plan), encoding="utf-8")
        return _prepared(version, plan, job)

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        plan = json.loads((job.workdir / _PLAN).read_text(encoding="utf-8"))
        denied = sorted({*job.deny, *(plan.get("blacklistIPs") or ())})
        argv = [
            str(self.find()),
            "run",
            *("--quiet", "--no-color", "--log-format", "raw", "--log-output", "stderr"),
            *("--paused", "--address", _address(job)),
            *_variables(job),
            *_config(job),
            *k6_shards.segment(job.shard),
            *("--system-tags", _TAGS, "--summary-export", str(job.workdir / _SUMMARY)),
            *(word for network in denied for word in ("--blacklist-ip", network)),
            *("--out", f"json=/dev/fd/{samples_fd}"),
            str(job.workdir / _ARCHIVE),
        ]
        return Command(argv, _environment(job))

    def reader(self) -> K6Reader:
        return K6Reader()

    def is_ready(self, job: Job, reader: Reader) -> bool:
        """Every virtual user is initialised and k6 waits to be resumed."""
        with (
            contextlib.suppress(httpx.HTTPError, ValueError, LookupError, TypeError),
            _api(job) as api,
        ):
            status = api.get("/v1/status").raise_for_status().json()
            return bool(status["data"]["attributes"]["status"] == _PAUSED)
        return False

    def go(self, job: Job, go_fd: int) -> None:
        attributes = {"paused": False}
        body = {"data": {"type": "status", "id": "default", "attributes": attributes}}
        try:
            with _api(job) as api:
                api.patch("/v1/status", json=body).raise_for_status()
        except httpx.HTTPError as error:
            sentence = (
                "k6 was ready but could not be told to go; it was stopped. Start the run again."
            )
            raise ToolProblem(sentence, code="tool_error") from error

    def share_setup(self, job: Job, data: bytes | None) -> bytes:
        with _api(job) as api:
            return k6_shards.share_setup(api, job, job.workdir / _ARCHIVE, data)

    def tear_down(self, job: Job) -> None:
        with _api(job) as api:
            k6_shards.tear_down(api, job)

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        """No shard sees the whole test, so k6 judges its thresholds in none of them."""
        if job.shard[1] == 1:
            return read_thresholds(job.workdir / _SUMMARY)
        plan = json.loads((job.workdir / _PLAN).read_text(encoding="utf-8"))
        return tuple(OwnVerdict(text, None) for text in k6_plan.own_thresholds(plan))

    def explain(self, code: int, stderr: str) -> Ending:
        said = _useful_line(stderr)
        if code == 99:
            crossed = [line for line in stderr.splitlines() if line.startswith("thresholds on")]
            return Ending("thresholds_crossed", _sentence(crossed[-1] if crossed else _CROSSED))
        kind, sentence = _ENDINGS.get(code, ("tool_error", f"k6 ended with code {code}"))
        if kind in {"script_error", "tool_error"} and said and code != _CRASH:
            sentence = f"{sentence}: {said}"
        return Ending(kind, _sentence(sentence))


_CROSSED = "a threshold of the script was crossed"
_CRASH = 2  # of Go itself: what it says is its stacks
_ENDINGS: dict[int, tuple[Kind, str]] = {
    0: ("finished", "k6 finished"),
    _CRASH: (
        "tool_error",
        "k6 crashed, most often for want of memory: let the script hold less, or allow more by "
        "WEDSYNC_TOOL_MEMORY_MIB on the worker",
    ),
    100: ("script_error", "setup() of the script took too long"),
    101: ("script_error", "teardown() of the script took too long"),
    102: ("script_error", "the script took too long"),
    103: ("stopped", "k6 was told to stop"),
    104: ("script_error", "k6 does not accept the options of the script"),
    105: ("stopped", "k6 was told to stop"),
    106: ("tool_error", "k6 could not open its port on this machine"),
    107: ("script_error", "the script failed"),
    108: ("script_error", "the script aborted the test itself"),
    109: ("tool_error", "k6 crashed"),
    110: ("thresholds_crossed", "the script marked the test as failed"),
    -2: ("stopped", "k6 was told to stop"),
    -9: ("stopped", "k6 was killed"),
    -13: ("tool_error", "k6 lost its reader"),
    -15: ("stopped", "k6 was told to stop"),
}


def _checked(path: Path) -> Path:
    if path.is_file() and os.access(path, os.X_OK):
        return path
    raise ToolProblem(
        f"k6 is not installed: it is neither on PATH nor at {path}. "
        "Run ./wedsync tools to get it, or let WEDSYNC_K6 name it.",
        code="tool_missing",
    )


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
        nominal=k6_plan.nominal(scenarios),
        peak_users=users if isinstance(users, int) else None,
        peak_rate=k6_plan.peak_rate(scenarios),
        thresholds=k6_plan.own_thresholds(plan),
        digest=k6_archive.digest(archive) if archive.exists() else "",
    )


def _environment(job: Job) -> dict[str, str]:
    """Secrets are read from here alone: no command line and no archive holds them."""
    return scrubbed(
        job,
        os.environ.get("PATH", os.defpath),
        K6_NO_USAGE_REPORT="true",
        K6_AUTO_EXTENSION_RESOLUTION="false",
        **trusting(job),
        **job.secrets,
    )


def _variables(job: Job) -> list[str]:
    """The same for archive, inspect and run, so that one plan is judged and run."""
    known = {"TARGET": job.target} | ({} if job.users is None else {"USERS": str(job.users)})
    words = [
        word
        for name, value in (known | dict(job.variables)).items()
        for word in ("-e", f"{name}={value}")
    ]
    return [f"--include-system-env-vars={'true' if job.secrets else 'false'}", *words]


def _config(job: Job) -> list[str]:
    path = job.workdir / _CONFIG
    return ["--config", str(path)] if path.exists() else []


def _keep_config(job: Job) -> None:
    """Copy the installation's k6 configuration to where the tool's own user can read it."""
    if path := os.environ.get("WEDSYNC_K6_CONFIG"):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            sentence = f"WEDSYNC_K6_CONFIG names {path}, which cannot be read: {error.strerror}."
            raise ToolProblem(sentence, code="config_unreadable") from None
        copy = job.workdir / _CONFIG
        copy.write_text(text, encoding="utf-8")
        copy.chmod(0o644)


def _address(job: Job) -> str:
    return f"127.0.0.1:{job.port}"


def _api(job: Job) -> httpx.Client:
    return httpx.Client(base_url=f"http://{_address(job)}", timeout=2.0, trust_env=False)


def _version(said: Finished) -> str:
    found = re.search(r"v(\d+\.\d+\.\d+\S*)", said.stdout)
    if said.code or not found:
        raise ToolProblem(f"k6 does not start: {_useful_line(said.stderr)}", code="tool_error")
    if found[1].partition(".")[0] not in _MAJORS:
        raise ToolProblem(
            f"k6 {found[1]} is not known here; versions {' and '.join(_MAJORS)} are. Run ./wedsync "
            f"tools to get {VERSION}, or let WEDSYNC_K6 name it.",
            code="tool_unknown_version",
        )
    return found[1]


def _expect(said: Finished, job: Job) -> Finished:
    if said.code == 0:
        return said
    line = _useful_line(said.stderr).replace(f"file://{job.workdir}/", "")
    sentence = f"k6 cannot load the script: {line or f'it ended with code {said.code}'}"
    raise ToolProblem(sentence, code="script_invalid", output=said.stderr)


def _read_plan(said: Finished) -> Mapping[str, Any]:
    try:
        plan = json.loads(said.stdout)
    except ValueError:
        plan = None
    if not isinstance(plan, dict):
        raise ToolProblem("k6 inspected the script but its answer is not JSON.", code="tool_error")
    return plan


def _useful_line(stderr: str) -> str:
    """The last thing k6 said: its own words, without a stack trace, its prefixes and its advice."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line[0].isspace()]
    if not lines:
        return ""
    line = re.sub(r"^could not (initialize|load) .*?file://\S+: ", "", lines[-1])
    return line.partition(". Make sure")[0][:300]


def _sentence(text: str) -> str:
    text = text.rstrip(".") + "."
    return text if text.startswith("k6") else text[:1].upper() + text[1:]
