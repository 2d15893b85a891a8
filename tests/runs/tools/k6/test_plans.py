import io
import json
import tarfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runs.tools import ToolProblem
from runs.tools.k6 import K6
from runs.tools.k6.plans import parse_duration, refuse_longer
from tests.runs.tools.fake_shell import job_in
from tests.runs.tools.k6.shell import PLAN, shell_of
from tests.runs.tools.local import LocalRun, job_of, tool_here
from tests.runs.tools.test_real_tools import K6_SCRIPT


def test_a_plan_is_read_as_far_as_the_script_says(k6: K6, tmp_path: Path) -> None:
    scenarios = {
        "browse": {
            "executor": "ramping-arrival-rate",
            "startRate": 60,
            "timeUnit": "1m",
            "stages": [{"duration": "10s", "target": 600}, {"duration": "5s", "target": 0}],
        },
        "photos": {
            "executor": "constant-arrival-rate",
            "startTime": "5s",
            "duration": "5s",
            "rate": 7,
        },
        "later": {
            "executor": "constant-arrival-rate",
            "startTime": "15s",
            "duration": "5s",
            "rate": 12,
        },
    }
    plan = PLAN | {
        "scenarios": scenarios,
        "setupTimeout": "5s",
        "teardownTimeout": "10s",
        "thresholds": {"http_req_duration": ["p(95)<500"]},
    }
    prepared = k6.prepare(job_in(tmp_path), shell_of(plan=plan))
    assert (prepared.nominal, prepared.worst_case) == (timedelta(seconds=20), timedelta(seconds=50))
    assert (prepared.peak_users, prepared.peak_rate) == (13, 17.0)
    assert prepared.thresholds == ("http_req_duration p(95)<500",)


@pytest.mark.parametrize(
    ("scenario", "nominal"),
    [
        ({"executor": "shared-iterations", "iterations": 5}, None),
        ({"executor": "constant-vus", "duration": "1m"}, timedelta(minutes=1)),
        ({"executor": "ramping-vus", "stages": []}, timedelta()),
    ],
)
def test_a_script_that_begins_iterations_at_will_has_no_rate(
    k6: K6, tmp_path: Path, scenario: dict[str, object], nominal: timedelta | None
) -> None:
    prepared = k6.prepare(job_in(tmp_path), shell_of(plan=PLAN | {"scenarios": {"a": scenario}}))
    assert (prepared.nominal, prepared.peak_rate) == (nominal, None)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"iterations": 10}, "1"),
        ({"iterations": 10, "vus": 2}, None),
        ({"scenarios": {"a": {}}, "iterations": 10}, None),
        ({}, None),
    ],
)
def test_a_script_that_counts_iterations_alone_has_one_user(
    k6: K6, tmp_path: Path, options: dict[str, Any], told: str | None
) -> None:
    shell, job = shell_of(), job_in(tmp_path)
    content = json.dumps({"options": options}).encode()
    with tarfile.open(tmp_path / "wedsync-archive.tar", "w") as tar:
        member = tarfile.TarInfo("metadata.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    k6.prepare(job, shell)
    asked = {argv[1]: env for argv, env in shell.asked}
    assert asked["inspect"].get("K6_VUS") == told
    assert "K6_VUS" not in k6.command(job, samples_fd=5, go_fd=6).env


def test_a_plan_longer_than_declared_is_refused_with_what_to_declare(
    k6: K6, tmp_path: Path
) -> None:
    with pytest.raises(ToolProblem, match=r"may take PT35S .*declares PT30S.*Declare PT35S") as e:
        k6.prepare(job_in(tmp_path, seconds=30), shell_of())
    assert e.value.code == "plan_too_long"


def test_a_plan_that_ends_exactly_in_time_is_allowed() -> None:
    refuse_longer(timedelta(seconds=30), timedelta(seconds=30))


def test_the_advice_is_in_whole_seconds() -> None:
    with pytest.raises(ToolProblem, match="Declare PT31S or more"):
        refuse_longer(timedelta(seconds=30.2), timedelta(seconds=30))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("35s", 35), ("10m30s", 630), ("1h0m0.5s", 3600.5), ("250ms", 0.25), ("0s", 0)],
)
def test_a_duration_of_go_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "None", "35", "s", "1 s", "-1s"])
def test_a_duration_that_k6_did_not_say_is_a_problem(text: str) -> None:
    with pytest.raises(ToolProblem):
        parse_duration(text)


@pytest.mark.tool
def test_a_k6_script_that_may_take_too_long_is_refused(tmp_path: Path) -> None:
    tool = tool_here("k6")
    run = LocalRun(tool, job_of(tool, K6_SCRIPT, tmp_path, seconds=2.5))
    with pytest.raises(ToolProblem, match=r"PT3S .*totalDuration.*PT2\.5S.*gracefulStop") as caught:
        tool.prepare(run.job, run.shell)
    assert caught.value.code == "plan_too_long"
