"""CI starts a test with one command, and knows by its exit code and its report how it ended."""

import os
import signal
import subprocess
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from tests import ports
from tests.stories.stack import ROOT, Stack, short_rush
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool]


def plan(folder: Path, target: str, *lines: str, seconds: int = 4) -> Path:
    (folder / "rush.js").write_text(short_rush(seconds))
    path = folder / "plan.yml"
    words = ("tool: k6", "script: rush.js", f"target: {target}", "duration: 1m", *lines)
    path.write_text("\n".join(words))
    return path


def command(stack: Stack, *words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [ROOT / "wedsync", "run", *words],
        env=stack.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(stack: Stack, *words: str | Path) -> tuple[int, str]:
    """The exit code and what was said."""
    process = command(stack, *words)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def cases(report: Path) -> dict[str, str]:
    """Each test case by name, and what it is but passed."""
    root = xml.parse(report).getroot()
    assert int(root.get("tests", "0")) == len(list(root.iter("testcase")))
    return {
        str(case.get("name")): "".join(word.tag for word in case) for case in root.iter("testcase")
    }


def test_a_test_that_holds_its_thresholds_ends_with_0(
    tuesday: Stack, guest_site: str, tmp_path: Path
) -> None:
    report = tmp_path / "out" / "junit.xml"
    path = plan(tmp_path, guest_site, "thresholds: [errors > 1%]", "tags: [ci]")
    code, said = run(tuesday, path, "--wait", "--junit", report)
    assert code == 0, said
    assert "Passed: " in said
    assert "held     errors > 1%" in said
    (found,) = tuesday.api.get("runs", params={"tag": "ci", "limit": 1}).json()["runs"]
    assert cases(report) == {f"run {found['id']}": "", "errors > 1%": ""}
    assert f"{tuesday.url}/runs/{found['id']}/" in said


def test_a_broken_threshold_ends_with_1_and_is_a_failure_in_the_report(
    tuesday: Stack, guest_site: str, tmp_path: Path
) -> None:
    report = tmp_path / "junit.xml"
    path = plan(tmp_path, guest_site, "thresholds: [requests > 5, errors > 1%]")
    code, said = run(tuesday, path, "--wait", "--junit", report)
    assert code == 1, said
    assert "Failed: " in said
    found = cases(report)
    assert (found.pop("requests > 5"), found.pop("errors > 1%")) == ("failure", "")
    assert list(found.values()) == ["failure"]


def test_a_saturday_ends_with_2_and_is_skipped_in_the_report(
    saturday: Stack, tmp_path: Path
) -> None:
    report = tmp_path / "junit.xml"
    path = plan(tmp_path, "http://127.0.0.1:9000")
    code, said = run(saturday, path, "--wait", "--junit", report)
    assert code == 2, said
    assert "Saturday wedding day protection" in said
    assert "Next safe window: from Mon 15 Jun 2026, 08:00 London" in said
    assert list(cases(report).values()) == ["skipped"]


def test_ctrl_c_stops_the_run_itself_and_ends_with_3(
    tuesday: Stack, guest_site: str, tmp_path: Path
) -> None:
    report = tmp_path / "junit.xml"
    path = plan(tmp_path, guest_site, "tags: [to-be-stopped]", seconds=50)
    process = command(tuesday, path, "--wait", "--junit", report)

    def state() -> tuple[str, str]:
        asked = {"tag": "to-be-stopped", "limit": "1"}
        runs = tuesday.api.get("runs", params=asked).json()["runs"]
        return (runs[0]["id"], runs[0]["state"]) if runs else ("", "")

    until(lambda: state()[1] == "running", within=30, what="the run's start")
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 3, said
    assert "Ctrl-C was pressed: stopping the run" in said
    found = tuesday.run(state()[0])
    assert (found["state"], found["processes_left"]) == ("aborted", 0)
    assert "Ctrl-C was pressed at ./wedsync run" in found["verdict"]["reason"]
    assert list(cases(report).values()) == ["error"]


def test_a_dry_run_says_what_a_real_one_would_do(
    tuesday: Stack, guest_site: str, tmp_path: Path
) -> None:
    code, said = run(tuesday, plan(tmp_path, guest_site), "--dry-run")
    assert code == 0, said
    assert "Nothing was sent. It would load" in said
    assert "The calendar, now: No active weddings detected" in said


def test_a_wrong_plan_ends_with_64_and_starts_nothing(
    tuesday: Stack, guest_site: str, tmp_path: Path
) -> None:
    before = tuesday.api.get("runs").json()["runs"]
    code, said = run(tuesday, plan(tmp_path, guest_site, "thresholds: p95 faster"), "--wait")
    assert (code, "thresholds: " in said) == (64, True), said
    code, said = run(tuesday, plan(tmp_path, guest_site, "treshold: p95 > 1s"), "--wait")
    assert (code, "Did you mean thresholds?" in said) == (64, True), said
    assert tuesday.api.get("runs").json()["runs"] == before


def test_a_product_that_is_not_there_ends_with_4_and_says_what_to_do(
    tuesday: Stack, tmp_path: Path
) -> None:
    path = plan(tmp_path, "http://127.0.0.1:9000")
    url = f"http://127.0.0.1:{ports.keep()}"
    code, said = run(tuesday, path, "--wait", "--url", url, "--token", "wst_none")
    assert (code, f"{url} did not answer" in said) == (4, True), said
    assert "./wedsync up starts it" in said
    code, said = run(tuesday, path, "--wait", "--url", tuesday.url, "--token", "wst_none")
    assert (code, "does not know this token" in said) == (64, True), said
    assert "WEDSYNC_TOKEN" in said
