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
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from clock import iso
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
    scrubbed,
)
from runs.tools.k6_lines import K6Reader

VERSION = "1.8.1"
_ARCHIVE, _PLAN, _CONFIG = "archive.tar", "inspect.json", "k6-config.json"
_SHORT_S, _LOAD_S = 10.0, 30.0
_TAGS = "status,method,name,scenario,group,check,error,error_code,expected_response"
_PAUSED = 4
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class K6:
    name = "k6"
    latency_kind = "k6 http_req_duration: sending, waiting and receiving, without connecting"
    script_name = "script.js"

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
        archive = str(job.workdir / _ARCHIVE)
        argv = [
            k6,
            "archive",
            *quiet,
            *_config(job),
            *_variables(job),
            "-O",
            archive,
            str(job.script),
        ]
        _expect(shell(argv, env, _LOAD_S), job)
        argv = [k6, "inspect", *quiet, "--execution-requirements", *_variables(job), archive]
        plan = _read_plan(_expect(shell(argv, env, _LOAD_S), job))
        worst = parse_duration(str(plan.get("totalDuration")))
        refuse_longer(worst, job.duration)
        (job.workdir / _PLAN).write_text(json.dumps(plan), encoding="utf-8")
        return Prepared(version, worst)

    def command(self, job: Job, *, samples_fd: int, go_fd: int) -> Command:
        plan = json.loads((job.workdir / _PLAN).read_text(encoding="utf-8"))
        denied = sorted({*job.deny, *(plan.get("blacklistIPs") or ())})
        argv = [
            str(self.find()),
            "run",
            *("--quiet", "--no-color", "--log-format", "raw", "--log-output", "stderr"),
            *("--paused", "--address", _address(job)),
            *("--include-system-env-vars=false", *_variables(job), *_config(job)),
            *("--system-tags", _TAGS),
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

    def own_verdicts(self, job: Job) -> tuple[OwnVerdict, ...]:
        return ()

    def explain(self, code: int, stderr: str) -> Ending:
        said = _useful_line(stderr)
        if code == 99:
            crossed = [line for line in stderr.splitlines() if line.startswith("thresholds on")]
            return Ending("thresholds_crossed", _sentence(crossed[-1] if crossed else _CROSSED))
        kind, sentence = _ENDINGS.get(code, ("tool_error", f"k6 ended with code {code}"))
        if kind in {"script_error", "tool_error"} and said:
            sentence = f"{sentence}: {said}"
        return Ending(kind, _sentence(sentence))


_CROSSED = "a threshold of the script was crossed"
_ENDINGS: dict[int, tuple[Kind, str]] = {
    0: ("finished", "k6 finished"),
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


def parse_duration(text: str) -> timedelta:
    """A duration as Go writes it: 1h2m3.5s. Raises ToolProblem."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ToolProblem(f"k6 did not say how long the script lasts (it said “{text}”).")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def refuse_longer(worst: timedelta, declared: timedelta) -> None:
    """Raises ToolProblem ("plan_too_long") where the script may outlast its declared time."""
    if worst <= declared:
        return
    raise ToolProblem(
        f"The script may take {iso.format_duration(worst)} (k6's totalDuration) but the run "
        f"declares {iso.format_duration(declared)}. k6 counts each scenario's gracefulStop, 30 s "
        "unless the script sets it, and 10 minutes where a scenario sets no duration. Declare "
        f"{iso.format_duration(_whole_seconds(worst))} or more, or shorten the script.",
        code="plan_too_long",
    )


def _whole_seconds(span: timedelta) -> timedelta:
    return timedelta(seconds=-(-span // timedelta(seconds=1)))


def _checked(path: Path) -> Path:
    if path.is_file() and os.access(path, os.X_OK):
        return path
    raise ToolProblem(
        f"k6 is not installed: it is neither on PATH nor at {path}. "
        "Run ./wedsync tools to get it, or let WEDSYNC_K6 name it.",
        code="tool_missing",
    )


def _environment(job: Job) -> dict[str, str]:
    return scrubbed(
        job,
        os.environ.get("PATH", os.defpath),
        K6_NO_USAGE_REPORT="true",
        K6_AUTO_EXTENSION_RESOLUTION="false",
    )


def _variables(job: Job) -> list[str]:
    """The same for archive, inspect and run, so that one plan is judged and run."""
    words = ["-e", f"TARGET={job.target}"]
    return words if job.users is None else [*words, "-e", f"USERS={job.users}"]


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
