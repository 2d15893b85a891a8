import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runs.tools import OwnVerdict
from runs.tools.k6 import K6
from runs.tools.k6.summary import LARGEST, read_thresholds
from tests.runs.tools.fake_shell import job_in

RECORDING = Path(__file__).parents[1] / "recordings" / "k6-summary.json"


def test_the_scripts_own_thresholds_are_read_as_k6_judged_them(tmp_path: Path) -> None:
    assert read_thresholds(RECORDING) == (
        OwnVerdict("checks rate>0.9", True),
        OwnVerdict("http_req_duration p(95)<500", True),
        OwnVerdict("http_req_duration p(99)<1000", True),
        OwnVerdict("http_req_failed{scenario:browse} rate<0.01", True),
    )
    crossed = RECORDING.read_text().replace('"p(95)<500": false', '"p(95)<500": true')
    (tmp_path / "summary.json").write_text(crossed)
    held = {own.text: own.held for own in read_thresholds(tmp_path / "summary.json")}
    assert [text for text, is_held in held.items() if not is_held] == [
        "http_req_duration p(95)<500"
    ]


def write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        write(b""),
        write(b"\xff\x00{"),
        write(b"[" * 100_000),
        write(b'{"metrics": {"a": {"thresholds": {"max<1": "no"}}}}'),
        write(b'{"metrics": []}'),
        write(b'"no"'),
        write(RECORDING.read_bytes() + b" " * LARGEST),
        lambda path: path.symlink_to(RECORDING),
        lambda path: os.mkfifo(path),
        lambda path: path.mkdir(),
    ],
    ids=["none", "empty", "binary", "deep", "wrong", "list", "word", "huge", "link", "pipe", "dir"],
)
def test_a_script_that_spoils_the_file_hides_its_thresholds_and_harms_nobody(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    make(tmp_path / "wedsync-summary.json")
    assert K6().own_verdicts(job_in(tmp_path)) == ()


def test_thresholds_without_end_are_bounded(tmp_path: Path) -> None:
    many = {f"{'m' * 999}{number}": {"thresholds": {"max<1": True}} for number in range(1000)}
    (tmp_path / "summary.json").write_text(json.dumps({"metrics": many}))
    found = read_thresholds(tmp_path / "summary.json")
    assert len(found) == 200
    assert max(len(own.text) for own in found) == 300
