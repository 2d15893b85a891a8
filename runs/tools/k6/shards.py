"""A part of a k6 test: its segment, and the data of one setup() for all parts.

https://grafana.com/docs/k6/latest/using-k6/k6-options/reference/#execution-segment
"""

import json
import re
from pathlib import Path

import httpx

from runs.tools import Job, ToolProblem
from runs.tools.k6 import sentences

MOST_DATA = 1 << 20
_ONCE = re.compile(rb"\b(setup|teardown)\b")


def segment(shard: tuple[int, int]) -> list[str]:
    """Fractions and no floats, so that the parts are the whole. Thresholds need the whole too."""
    index, of = shard
    if of == 1:
        return []
    cuts = [f"{cut}/{of}" for cut in range(of + 1)]
    return [
        *("--execution-segment", f"{cuts[index]}:{cuts[index + 1]}"),
        *("--execution-segment-sequence", ",".join(["0", *cuts[1:-1], "1"])),
        *("--no-setup", "--no-teardown", "--no-thresholds"),
    ]


def share_setup(api: httpx.Client, job: Job, archive: Path, data: bytes | None) -> bytes:
    if not _ONCE.search(archive.read_bytes()):
        return b""
    try:
        if data is not None:
            api.put("/v1/setup", content=data).raise_for_status()
            return data
        said = api.post("/v1/setup", timeout=job.duration.total_seconds()).raise_for_status()
        found = json.dumps(said.json()["data"]["attributes"].get("data")).encode()
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _problem("setup()", error) from error
    if len(found) > MOST_DATA:
        raise ToolProblem(
            "What setup() of the script returns is more than 1 MiB as JSON, too much to be shared "
            "by all shards. Let it return less, or run the test on one worker.",
            code="setup_too_large",
        )
    return found


def tear_down(api: httpx.Client, job: Job) -> None:
    try:
        api.post("/v1/teardown", timeout=job.duration.total_seconds()).raise_for_status()
    except httpx.HTTPError as error:
        raise _problem("teardown()", error) from error


def _problem(function: str, error: Exception) -> ToolProblem:
    """k6 answers with its own words in JSON: {"errors": [{"title": ..., "detail": ...}]}."""
    said = str(error)
    if isinstance(error, httpx.HTTPStatusError):
        found = re.search(r'"detail":\s*"((?:[^"\\]|\\.)*)"', error.response.text)
        said = json.loads(f'"{found[1]}"') if found else error.response.text
    line = sentences.tidy((said.strip().splitlines() or ["k6 ended"])[0])
    return ToolProblem(f"{function} of the script failed: {line}", code="script_error")
