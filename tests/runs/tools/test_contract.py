"""One suite over every tool in the list: what its reader makes of a recording, however cut."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from runs.samples import Batch
from runs.samples.aggregator import Aggregator
from runs.tools import Job, Tool, ToolProblem, get_tool, tool_names
from runs.tools.lines import LONGEST_LINE
from runs.tools.surroundings import trusting
from tests.runs.tools.fake_shell import job_in

RECORDINGS = Path(__file__).parent / "recordings"
GARBAGE = [
    b"",
    b"Segmentation fault",
    b"{",
    b"[]",
    b"null",
    b'{"metric":"http_req_duration","type":"Point"}',
    b'{"metric":"vus","type":"Point","data":{"time":"yesterday","value":1,"tags":{}}}',
    b'{"metric":"vus","type":"Point","data":{"time":"2026-11-23T14:34:19Z","value":1e400}}',
    b'{"users":1,"at":1,"dropped":0,"cells":[[1,"GET","a",[-5.0],0,0]]}',
    b'{"users":1,"at":1,"dropped":0,"cells":[[1,"GET","a",[],0,9]]}',
    b"[" * 100_000,
    b"\xff\xfe\x00",
    b"x" * (LONGEST_LINE + 1),
]


def test_the_list_of_authorities_is_not_written_through_a_link_of_the_script(
    tmp_path: Path,
) -> None:
    workdir, precious = tmp_path / "work", tmp_path / "precious"
    workdir.mkdir()
    (workdir / "wedsync-trust.pem").symlink_to(precious)
    job = job_in(workdir, ca=workdir / "ca.pem")
    (workdir / "ca.pem").write_text("ours")
    trusting(job)
    assert not precious.exists()
    (workdir / "wedsync-trust.pem").unlink()
    assert Path(trusting(job)["SSL_CERT_FILE"]).read_text().endswith("\nours")


def every_recording() -> list[ParameterSet]:
    found: list[ParameterSet] = []
    for tool in map(get_tool, tool_names()):
        files = sorted(RECORDINGS.glob(f"{tool.name}*.ndjson"))
        assert files, f"{tool.name} has no recording"
        found += [pytest.param(tool, file.read_bytes(), id=file.stem) for file in files]
    return found


recordings = pytest.mark.parametrize(("tool", "recording"), every_recording())
tools = pytest.mark.parametrize("tool", [*map(get_tool, tool_names())], ids=lambda tool: tool.name)


def cut(data: bytes, seed: int, longest: int) -> list[bytes]:
    pick, pieces, at = random.Random(seed), [], 0
    while at < len(data):
        size = pick.randint(1, longest)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def fold(batches: list[Batch]) -> tuple[object, ...]:
    aggregator = Aggregator()
    for batch in batches:
        aggregator.add(batch)
    endpoints = [(e.name, e.requests, e.errors, e.sketch) for e in aggregator.endpoints()]
    return endpoints, aggregator.closed(0.0, everything=True), aggregator.totals()


def read(tool: Tool, pieces: list[bytes]) -> tuple[object, ...]:
    reader = tool.reader()
    folded = fold([reader.feed(piece) for piece in pieces])
    return *folded, reader.hello, reader.garbage, reader.dropped


@recordings
def test_a_recording_has_requests_latencies_and_users(tool: Tool, recording: bytes) -> None:
    reader, aggregator = tool.reader(), Aggregator()
    aggregator.add(reader.feed(recording))
    totals = aggregator.totals()
    assert reader.hello
    assert (reader.garbage, reader.dropped) == (0, 0)
    assert totals.requests > 50
    assert totals.users == 3
    assert 1 < (totals.quantile_ms(0.95) or 0) < 1000


@pytest.mark.parametrize("longest", [7, 300, 20_000])
@recordings
def test_the_size_of_the_pieces_changes_nothing(tool: Tool, recording: bytes, longest: int) -> None:
    assert read(tool, cut(recording, longest, longest)) == read(tool, [recording])


@recordings
def test_garbage_between_the_lines_is_counted_and_loses_nothing(
    tool: Tool, recording: bytes
) -> None:
    lines = recording.splitlines()
    pick = random.Random(1)
    for nonsense in GARBAGE:
        lines.insert(pick.randint(1, len(lines)), nonsense)
    spoiled = b"\n".join(lines) + b"\n"
    whole = read(tool, [spoiled])
    *measured, hello, garbage, _ = whole
    assert tuple(measured) == fold([tool.reader().feed(recording)])
    assert (hello, garbage) == (True, len(GARBAGE) - 1)
    assert read(tool, cut(spoiled, 2, 70_000)) == whole


@tools
def test_nothing_at_all_is_no_batch_and_no_hello(tool: Tool) -> None:
    reader = tool.reader()
    assert reader.feed(b"") == Batch()
    assert reader.feed(b'{"half a') == Batch()
    assert not reader.hello


@tools
def test_only_nonsense_never_says_hello(tool: Tool) -> None:
    reader = tool.reader()
    assert reader.feed(b"\n".join(GARBAGE) + b"\n").cells == {}
    assert not reader.hello
    assert reader.garbage == len(GARBAGE) - 1


@tools
def test_a_line_that_never_ends_takes_no_more_than_its_share_of_memory(tool: Tool) -> None:
    reader = tool.reader()
    for _ in range(40):
        reader.feed(b"x" * 100_000)
    assert reader.garbage == 1


@tools
def test_a_tool_that_is_not_there_says_how_to_get_it(
    tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"WEDSYNC_{tool.name.upper()}", "/nowhere/at/all")
    with pytest.raises(ToolProblem, match="wedsync tools") as caught:
        tool.find()
    assert caught.value.code == "tool_missing"


@tools
def test_every_ending_is_a_sentence(tool: Tool) -> None:
    for code in (-15, -9, -2, 0, 1, 2, 99, 107, 200):
        ending = tool.explain(code, "Traceback:\n  somewhere\nValueError: no luck\n")
        assert ending.sentence[-1] in ".!" or "no luck" in ending.sentence
    assert tool.explain(0, "").kind == "finished"
    assert tool.explain(-15, "").kind == "stopped"
    assert tool.explain(200, "").kind == "tool_error"


@tools
def test_a_tool_that_nobody_listens_to_is_not_ready(tool: Tool, tmp_path: Path) -> None:
    script = tmp_path / tool.script_name
    job = Job("1", script, tmp_path, "http://127.0.0.1:1", timedelta(seconds=9), None, 1)
    assert not tool.is_ready(job, tool.reader())


def test_an_unknown_tool_is_a_problem_in_words() -> None:
    with pytest.raises(ToolProblem, match="no load tool called “siege”") as caught:
        get_tool("siege")
    assert caught.value.code == "tool_unknown"
