from typing import Any
from xml.etree import ElementTree as xml

import pytest

from wedsync_cli import junit

RUN: dict[str, Any] = {
    "id": "7",
    "name": "The guest <rush> & \x00more",
    "state": "failed",
    "tool": "k6",
    "tool_version": "1.8.1",
    "target": "http://127.0.0.1:9000",
    "started_at": "2026-06-09T08:00:00+00:00",
    "totals": {"requests": 5210, "rps": 86.8, "error_rate": 0.0, "seconds": 60, "p95_ms": 912},
    "verdict": {
        "outcome": "failed",
        "reason": "p95 was 912 ms, limit 800 ms",
        "checks": [
            {"text": "p95 > 800ms", "measured": "912 ms", "held": False},
            {"text": "errors > 1%", "measured": "0 %", "held": True},
            {"text": "p95 of rsvp > 1s", "measured": "no data", "held": None},
            {"text": "k6: checks: rate>0.9", "measured": "not judged", "held": None},
        ],
    },
}


def read(run: dict[str, Any]) -> xml.Element:
    text = junit.write(run, page="http://localhost:8080/runs/7/")
    return xml.fromstring(text.encode())


def kinds(root: xml.Element) -> list[str]:
    """What stands in each test case; empty where it passed."""
    return ["".join(word.tag for word in case) for case in root.iter("testcase")]


def ended(outcome: str, *checks: dict[str, Any]) -> dict[str, Any]:
    return RUN | {"verdict": {"outcome": outcome, "reason": "because", "checks": list(checks)}}


def test_a_failed_run_and_each_broken_threshold_fail_and_no_data_is_no_pass() -> None:
    root = read(RUN)
    assert kinds(root) == ["failure", "failure", "", "failure", "skipped"]
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "3", "errors": "0", "skipped": "1"}
    (suite,) = root
    assert {name: suite.get(name) for name in counts} == counts
    assert suite.get("time") == "60"


def test_sentences_and_names_survive_whatever_is_in_them() -> None:
    root = read(RUN)
    (suite,) = root
    assert suite.get("name") == "The guest <rush> & \ufffdmore"
    failures = [failure.get("message") for failure in root.iter("failure")]
    assert failures[:2] == ["p95 was 912 ms, limit 800 ms", "p95 > 800ms: 912 ms"]
    told = {word.get("name"): word.get("value") for word in root.iter("property")}
    assert told["page"] == "http://localhost:8080/runs/7/"
    assert told["requests"] == "5210"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("passed", ""),
        ("failed", "failure"),
        ("refused", "skipped"),
        ("aborted", "error"),
        ("errored", "error"),
        ("lost", "error"),
    ],
)
def test_each_outcome_is_what_ci_makes_of_it(outcome: str, kind: str) -> None:
    assert kinds(read(ended(outcome))) == [kind]


def test_a_threshold_that_an_aborted_run_had_no_data_for_is_not_a_failure() -> None:
    unknown = {"text": "p95 > 800ms", "measured": "no data", "held": None}
    assert kinds(read(ended("aborted", unknown))) == ["error", "skipped"]


def test_what_held_until_a_run_was_aborted_is_not_proven() -> None:
    held = {"text": "p95 > 800ms", "measured": "2.04 ms", "held": True}
    assert kinds(read(ended("aborted", held))) == ["error", "skipped"]


def test_a_run_that_never_began_has_a_report_too() -> None:
    bare = {"id": "7", "name": "rush", "state": "refused", "totals": None, "verdict": None}
    assert kinds(read(bare)) == ["skipped"]
