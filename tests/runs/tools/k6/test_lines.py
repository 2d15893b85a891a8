import json
from pathlib import Path

import pytest

from runs.samples import REQUESTS, Batch, Cell, Key
from runs.samples.aggregator import Aggregator
from runs.samples.limits import MOST_NAMES
from runs.tools.k6.lines import K6Reader

RECORDING = Path(__file__).parents[1] / "recordings" / "k6-v1.ndjson"


def declare(metric: str, kind: str = "trend") -> str:
    data = {"name": metric, "type": kind, "contains": "time"}
    return json.dumps({"type": "Metric", "data": data, "metric": metric}) + "\n"


def point(
    metric: str, value: float = 12.5, time: str = "2026-11-23T14:34:19.5Z", **tags: str
) -> str:
    data = {"time": time, "value": value, "tags": tags}
    line = {"metric": metric, "type": "Point", "data": data}
    return json.dumps(line, separators=(",", ":")) + "\n"


def read(*lines: str) -> Batch:
    reader = K6Reader()
    batch = reader.feed("".join(lines).encode())
    assert reader.garbage == 0
    return batch


SECOND = 1795444459


@pytest.mark.parametrize(
    ("metric", "tags", "name", "failed"),
    [
        ("http_req_duration", {"name": "home", "expected_response": "true"}, "home", False),
        ("http_req_duration", {"name": "home", "expected_response": "false"}, "home", True),
        ("http_req_duration", {"name": "/a?b=1", "method": "POST"}, "POST /a", False),
        ("grpc_req_duration", {"name": "a.B/C", "status": "0"}, "a.B/C", False),
        ("grpc_req_duration", {"name": "a.B/C", "status": "14"}, "a.B/C", True),
        ("ws_connecting", {"status": "101"}, "WebSocket", False),
        ("ws_connecting", {"status": "200"}, "WebSocket", True),
        ("browser_http_req_duration", {"name": "x", "status": "404"}, "x", True),
        ("browser_http_req_duration", {"name": "x", "status": "204"}, "x", False),
        ("iteration_duration", {"scenario": "a"}, "iteration", False),
    ],
)
def test_each_protocol_counts_by_its_own_metric(
    metric: str, tags: dict[str, str], name: str, failed: bool
) -> None:
    reader, line = K6Reader(), point(metric, 12.5, **tags).encode()
    together = reader.feed(declare(metric).encode() + line)
    for batch in (together, reader.feed(line)):
        assert requests(batch) == {(SECOND, name): Cell([12.5], errors=int(failed))}
        assert {key.metric for _, key in batch.cells} == {REQUESTS, metric}


def requests(batch: Batch) -> dict[tuple[int, str], Cell]:
    return {(at, key.name): cell for (at, key), cell in batch.cells.items() if key[0] == REQUESTS}


def requested(batch: Batch) -> list[str]:
    return [name for _, name in requests(batch)]


@pytest.mark.parametrize(
    ("speaks", "metric", "counted"),
    [(False, "iterations", 2), (True, "iterations", 0), (True, "grpc_streams", 2)],
)
def test_iterations_prove_nothing_where_a_script_imports_a_protocol_and_does_not_use_it(
    speaks: bool, metric: str, counted: int
) -> None:
    reader, lasted = K6Reader(speaks=speaks), point("iteration_duration", 900, scenario="a")
    reader.feed(f"{declare('iteration_duration')}{declare(metric, 'counter')}".encode())
    found = [requests(reader.feed(lasted.encode())) for _ in range(2)]
    assert sum(len(cell.values) for cells in found for cell in cells.values()) == counted


def test_the_first_stream_of_grpc_makes_requests_of_iterations() -> None:
    reader, lasted = K6Reader(speaks=True), point("iteration_duration", 900).encode()
    assert requests(reader.feed(declare("iteration_duration").encode() + lasted)) == {}
    streamed = reader.feed(declare("grpc_streams", "counter").encode() + lasted)
    assert requests(streamed) == {(SECOND, "iteration"): Cell([900.0])}


def test_iterations_do_not_count_where_a_protocol_does() -> None:
    batch = read(
        declare("http_req_duration"),
        point("http_req_duration", name="home"),
        point("iteration_duration", 900),
    )
    assert requested(batch) == ["home"]


def test_setup_and_teardown_are_no_load_but_a_group_of_that_name_is() -> None:
    batch = read(
        declare("http_req_duration"),
        point("http_req_duration", name="log in", group="::setup"),
        point("http_req_duration", name="log out", group="::teardown"),
        point("http_req_duration", name="prepare", group="::setup", scenario="guests"),
    )
    assert requested(batch) == ["prepare"]


def test_a_refused_connection_has_no_latency() -> None:
    batch = read(
        declare("http_req_duration"),
        point("http_req_duration", 0, name="home", expected_response="false"),
    )
    assert requests(batch) == {(SECOND, "home"): Cell([], errors=1, unanswered=1)}
    assert batch.cells[SECOND, Key("http_req_duration", "home")] == Cell([0.0])


@pytest.mark.parametrize(
    "time",
    ["2026-11-23T14:34:19Z", "2026-11-23T14:34:19.999999999Z", "2026-11-23T16:34:19.5+02:00"],
)
def test_a_sample_belongs_to_its_second_in_any_zone(time: str) -> None:
    assert read(point("vus", 3, time), point("vus", 3, time)).users == {SECOND: 3}


@pytest.mark.parametrize(
    ("metric", "tags", "key"),
    [
        ("http_reqs", {"name": "/a?b", "method": "GET", "status": "200"}, ("GET /a", "200")),
        ("checks", {"check": "is 200", "group": "::rsvp"}, ("is 200", "")),
        ("group_duration", {"group": "::rsvp"}, ("::rsvp", "")),
        ("data_sent", {"scenario": "rush", "group": ""}, ("", "")),
        ("my_trend", {"name": "photos", "my": "tag", "group": "::album"}, ("photos", "")),
    ],
)
def test_a_metric_is_kept_by_endpoint_or_check_or_group_and_by_status(
    metric: str, tags: dict[str, str], key: tuple[str, str]
) -> None:
    assert read(point(metric, -3.5, **tags)).cells == {(SECOND, Key(metric, *key)): Cell([-3.5])}


def test_every_metric_of_a_recording_is_there_with_its_kind_and_all_its_samples() -> None:
    lines = [json.loads(line) for line in RECORDING.read_bytes().splitlines()]
    reader, aggregator = K6Reader(), Aggregator()
    aggregator.add(reader.feed(RECORDING.read_bytes()))
    found = {metric.name: metric for metric in aggregator.metrics()}
    declared = {line["metric"]: line["data"]["type"] for line in lines if line["type"] == "Metric"}
    assert {name: metric.kind for name, metric in found.items()} == declared
    for name, metric in found.items():
        samples = [line for line in lines if line["type"] == "Point" and line["metric"] == name]
        values = [line["data"]["value"] for line in samples]
        assert metric.count == len(values)
        assert metric.total == pytest.approx(sum(values))
        assert metric.kind != "gauge" or metric.last == values[-1]


def test_samples_with_the_same_tags_are_told_apart_by_second_and_metric() -> None:
    first, second = "2026-11-23T14:34:19.9Z", "2026-11-23T14:34:20.1Z"
    points = [point(metric, 1, time) for time in (first, second, first) for metric in ("a", "b")]
    cells = read(*points).cells
    assert {(at - SECOND, key.metric): cell.count for (at, key), cell in cells.items()} == {
        (0, "a"): 2,
        (0, "b"): 2,
        (1, "a"): 1,
        (1, "b"): 1,
    }


def test_a_kind_that_k6_may_invent_is_a_trend() -> None:
    assert read(declare("m", "histogram"), declare("n", "rate")).kinds == {
        "m": "trend",
        "n": "rate",
    }


@pytest.mark.parametrize("tags", ['"none"', "7", '{"name": 7}', '["a"]'])
def test_samples_whose_tags_make_no_sense_are_left_out_and_counted(tags: str) -> None:
    lines = point("a", 1, name="x") + point("b", 2, name="x")
    reader = K6Reader()
    batch = reader.feed(lines.replace('{"name":"x"}', tags).encode())
    assert (batch.cells, reader.garbage, reader.hello) == ({}, 2, False)


def test_a_request_that_took_less_than_no_time_is_left_out_and_counted() -> None:
    reader = K6Reader()
    lines = [point("http_req_duration", value, name="home") for value in (-1, 5, -2)]
    batch = reader.feed("".join(lines).encode())
    assert requests(batch) == {(SECOND, "home"): Cell([5.0])}
    assert reader.feed(lines[0].encode()).cells == {}
    assert reader.garbage == 3


def test_lines_in_another_order_of_keys_say_the_same() -> None:
    recording = RECORDING.read_bytes()
    lines = [json.loads(line) for line in recording.splitlines()]
    turned = "".join(json.dumps(dict(reversed(line.items()))) + "\n" for line in lines)
    assert K6Reader().feed(turned.encode()) == K6Reader().feed(recording)


def test_one_senseless_line_spoils_no_other() -> None:
    recording = RECORDING.read_bytes()
    reader = K6Reader()
    assert reader.feed(recording + b"Killed\n") == K6Reader().feed(recording)
    assert reader.garbage == 1


def test_many_addresses_and_metrics_do_not_fill_the_memory() -> None:
    reader, aggregator = K6Reader(), Aggregator()
    for number in range(6000):
        metric = f"metric_{number}"
        text = declare(metric) + point(metric) + point("http_req_duration", name=f"/{number}")
        batch = reader.feed(text.encode())
        assert requested(batch) == [f"/{number}"]
        aggregator.add(batch)
    assert len(reader._labels) <= 5000
    assert len(reader._kinds) <= 1001
    assert len(aggregator.endpoints()) == MOST_NAMES + 1


def test_long_tags_are_not_remembered() -> None:
    reader = K6Reader()
    for number in range(50):
        reader.feed(point("http_reqs", name="x" * 100_000 + str(number)).encode())
    assert not reader._labels
