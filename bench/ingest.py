"""How fast k6's lines become seconds keyed by metric, name and status, and how exact they are.

The same lines, made here from a seed and shaped like k6 1.8's, are read three ways in turn: ours,
the plain way (json.loads and one DDSketch per key) and by msgspec's typed parse alone. Then more
of them, `--lines` in all, show whether memory grows. Last, an embedded stack drives a stand-in that
writes as fast as the pipe takes it, and the worker's log says how long an update took from reading
the bytes to being published. Nothing is sent anywhere; ends by itself, and with code 1 where a
figure is over its limit.
"""

import argparse
import json
import math
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import msgspec

from bench._publishing import delays_ms, quantile
from runs.redaction import Redactor
from runs.samples import REQUESTS, Second, cells
from runs.samples.aggregator import Aggregator
from runs.tools.k6.lines import K6Reader
from runs.tools.lines import Lines
from tests.stories.stack import ROOT, running_stack

SEED, ROUNDS, SECONDS = 2026, 5, 5
PER_SECOND, LINES_PER_REQUEST = 4_000, 14.6
PIECE = 256 * 1024  # what a run that is behind reads at once
BEGAN = int(datetime(2026, 6, 9, 8, tzinfo=UTC).timestamp())
LEAST = {"times_plain": 3.5, "share_of_typed_parse": 0.3}
MOST = {"p99_off_percent": 0.5, "memory_more_mb": 30, "published_p99_ms": 50}
STAND_IN = ROOT / "tests" / "fakes" / "k6.py"
FLOOD = '// {"seconds": 8, "mode": "flood"}'
PAGES = (
    ("home", "GET", ""),
    ("photos", "GET", "::album"),
    ("timeline", "GET", ""),
    ("guest list", "GET", "::guests"),
    ("rsvp", "POST", "::guests"),
)
ANSWERS = (("200", "true"),) * 40 + (("404", "false"), ("503", "false"))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000, help="how many the memory takes")
    lines = parser.parse_args().lines
    held = memory(lines)  # first: what the others leave free would hide growth
    data = b"".join(load(SECONDS))
    figures = {**speeds(data), **accuracy(data), **held, **published()}
    print(json.dumps(figures))
    if over := broken(figures):
        sys.exit("\n".join(over))


def broken(figures: dict[str, float]) -> list[str]:
    """A sentence for each figure beyond its limit."""
    low = [(name, "under", least) for name, least in LEAST.items() if figures[name] < least]
    high = [(name, "over", most) for name, most in MOST.items() if figures[name] > most]
    return [
        f"{name} is {figures[name]:g}, {side} its limit of {limit:g}."
        for name, side, limit in low + high
    ]


def load(seconds: int) -> Iterator[bytes]:
    """The lines of a rush, one piece a second."""
    pick = random.Random(SEED)
    yield b"".join(map(declaration, KINDS.items()))
    for second in range(BEGAN, BEGAN + seconds):
        clock = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        nanoseconds = sorted(pick.randrange(10**9) for _ in range(PER_SECOND))
        users = "".join(point(name, f"{clock}.1Z", 20, "{}") for name in ("vus", "vus_max"))
        iterations = (iteration(pick, f"{clock}.{at:09}Z") for at in nanoseconds)
        yield "".join((users, *iterations)).encode()


KINDS = {
    **dict.fromkeys(("http_reqs", "data_sent", "data_received", "iterations"), "counter"),
    **{
        f"http_req_{name}": "trend"
        for name in ("duration", "waiting", "receiving", "sending", "blocked", "connecting")
    },
    **dict.fromkeys(("http_req_failed", "checks"), "rate"),
    **dict.fromkeys(("http_req_tls_handshaking", "iteration_duration", "group_duration"), "trend"),
    **dict.fromkeys(("vus", "vus_max"), "gauge"),
}


def declaration(metric: tuple[str, str]) -> bytes:
    name, kind = metric
    data = {"name": name, "type": kind, "contains": "default", "thresholds": [], "submetrics": None}
    return json.dumps({"type": "Metric", "data": data, "metric": name}).encode() + b"\n"


def point(metric: str, time: str, value: float, tags: str) -> str:
    return (
        f'{{"metric":"{metric}","type":"Point","data":'
        f'{{"time":"{time}","value":{value},"tags":{tags}}}}}\n'
    )


def iteration(pick: random.Random, time: str) -> str:
    """One request, its check, its group where it has one, and the end of its iteration."""
    name, method, group = pick.choice(PAGES)
    status, expected = pick.choice(ANSWERS)
    total = round(pick.lognormvariate(3, 0.6), 6)
    sent, got = round(pick.uniform(0.002, 0.02), 6), round(pick.uniform(0.005, 0.2), 6)
    is_new = pick.random() < 0.01
    request = (
        f'{{"expected_response":"{expected}","group":"{group}","method":"{method}",'
        f'"name":"{name}","scenario":"rush","status":"{status}"}}'
    )
    scenario = '{"group":"","scenario":"rush"}'
    samples = [
        ("http_reqs", 1, request),
        ("http_req_duration", total, request),
        ("http_req_blocked", 0.31 if is_new else round(pick.uniform(0.0005, 0.003), 6), request),
        ("http_req_connecting", 0.13 if is_new else 0, request),
        ("http_req_tls_handshaking", 0, request),
        ("http_req_sending", sent, request),
        ("http_req_waiting", round(total - sent - got, 6), request),
        ("http_req_receiving", got, request),
        ("http_req_failed", int(expected == "false"), request),
        ("checks", int(status == "200"),
         f'{{"check":"is 200","group":"{group}","scenario":"rush"}}'),
        ("data_sent", 120, scenario),
        ("data_received", 340, scenario),
        ("iteration_duration", round(total + 0.1, 6), scenario),
        ("iterations", 1, scenario),
    ]  # fmt: skip
    if group:
        tags = f'{{"group":"{group}","scenario":"rush"}}'
        samples.insert(10, ("group_duration", round(total + 0.05, 6), tags))
    return "".join(point(metric, time, value, tags) for metric, value, tags in samples)


def speeds(data: bytes) -> dict[str, float]:
    lines, took = data.count(b"\n"), []
    for number in range(ROUNDS):
        took.append([timed(way, data) / lines * 1e6 for way in (ours, plain, typed)])
        us, them, parse = took[-1]
        say(f"round {number + 1}: ours {us:.2f}, plain {them:.2f}, typed {parse:.2f} µs a line")
    return {
        "times_plain": round(statistics.median(them / us for us, them, _ in took), 2),
        "share_of_typed_parse": round(statistics.median(parse / us for us, _, parse in took), 3),
        "ours_lines_a_second": round(1e6 / statistics.median(us for us, _, _ in took)),
        "plain_lines_a_second": round(1e6 / statistics.median(them for _, them, _ in took)),
    }


def timed(way: Callable[[bytes], object], data: bytes) -> float:
    """Of this process alone: a busy machine slows all three alike."""
    began = process_time()
    way(data)
    return process_time() - began


def ours(data: bytes) -> list[Second]:
    reader, redactor, aggregator = K6Reader(), Redactor(()), Aggregator()
    for piece in pieces(data):
        aggregator.add(redactor.batch(reader.feed(piece)))
    return aggregator.closed(0.0, everything=True)


def pieces(data: bytes) -> Iterator[bytes]:
    return (data[start : start + PIECE] for start in range(0, len(data), PIECE))


class DDSketch:
    """As published (Masson, Rim and Lee, 2019), at most 0.5 % off: counts by logarithm."""

    LOG_GAMMA = math.log(1.005 / 0.995)

    def __init__(self) -> None:
        self.counts: dict[int | None, int] = {}
        self.count, self.total, self.min, self.max = 0, 0.0, math.inf, -math.inf

    def add(self, value: float) -> None:
        bucket = math.ceil(math.log(value) / self.LOG_GAMMA) if value > 0 else None
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.count += 1
        self.total += value
        self.min = min(self.min, value)
        self.max = max(self.max, value)


class Values(list[float]):
    add = list.append


def plain(data: bytes, make: Callable[[], Any] = DDSketch) -> dict[tuple[int, str, str, str], Any]:
    """What `make` makes of each key's values, second by second."""
    found: dict[tuple[int, str, str, str], Any] = {}
    for text in data.decode().splitlines():
        line = json.loads(text)
        if line["type"] != "Point":
            continue
        sample, tags = line["data"], line["data"]["tags"]
        second = int(datetime.fromisoformat(sample["time"]).timestamp())
        name = tags.get("name") or tags.get("check") or tags.get("group", "")
        key = second, line["metric"], name, tags.get("status", "")
        if key not in found:
            found[key] = make()
        found[key].add(sample["value"])
    return found


class Tags(msgspec.Struct, gc=False):
    name: str = ""
    method: str = ""
    status: str = ""
    check: str = ""
    group: str = ""
    scenario: str = ""
    expected_response: str = ""


class Sample(msgspec.Struct, gc=False):
    time: str = ""
    value: float = 0.0
    tags: Tags | None = None


class Line(msgspec.Struct, gc=False):
    type: str
    metric: str
    data: Sample


def typed(data: bytes, decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)) -> None:  # noqa: B008
    lines = Lines()
    for piece in pieces(data):
        decoder.decode_lines(lines.cut(piece))


def accuracy(data: bytes) -> dict[str, float]:
    """Every sample is in its second and cell; how far p99 of a cell is off at the most."""
    exact, worst = plain(data, Values), 0.0
    found = {
        (second.at, *key): tally
        for second in ours(data)
        for key, tally in second.cells.items()
        if key.metric != REQUESTS
    }
    assert found.keys() == exact.keys()
    for key, values in exact.items():
        assert found[key].count == len(values), key
        right = sorted(values)[math.ceil(0.99 * len(values)) - 1]
        off = abs(found[key].sketch.quantile(0.99) - right)
        worst = max(worst, off / right if off else 0.0)
    return {"cells": len(found), "p99_off_percent": round(100 * worst, 3)}


def memory(lines: int) -> dict[str, float]:
    """How much more is held at the end than after the first quarter."""
    reader, redactor = K6Reader(), Redactor(())
    aggregator, told, resident = Aggregator(), 0, []
    seconds = math.ceil(lines / (PER_SECOND * LINES_PER_REQUEST))
    for at, written in enumerate(load(seconds), start=BEGAN):
        for piece in pieces(written):
            aggregator.add(redactor.batch(reader.feed(piece)))
        told += sum(len(cells.pack(second.cells)) for second in aggregator.closed(at + 0.9))
        resident.append(resident_mb())
    figures = {
        "memory_lines": sum(metric.count for metric in aggregator.metrics()),
        "memory_mb": round(resident[-1]),
        "memory_more_mb": round(resident[-1] - resident[len(resident) // 4], 1),
        "kept_kb_a_second": round(told / 1024 / seconds, 1),
    }
    say(f"memory: {figures}")
    return figures


def published() -> dict[str, float]:
    """Of a flood, with its reader, publisher, database and web server on the same machine."""
    with tempfile.TemporaryDirectory(prefix="wedsync-bench-") as name:
        tool = Path(name) / "k6"
        tool.write_text(f"#!{sys.executable}\n{STAND_IN.read_text()}")
        for path in (tool, tool.parent):
            path.chmod(0o755)
        with running_stack(tool.parent, WEDSYNC_K6=str(tool)) as stack:
            run_id = stack.start("http://127.0.0.1:9/", script=FLOOD, duration="PT1M")
            run = stack.wait_for(run_id, within=60, every=1.0)
            delays = delays_ms(stack, run_id)
    if run["state"] != "passed":
        raise SystemExit(f"The run did not pass: {run['verdict']}")
    figures = {
        "flood_lines_a_second": run["totals"]["rps"],
        "published_p50_ms": quantile(delays, 0.5),
        "published_p99_ms": quantile(delays, 0.99),
    }
    say(f"published: {figures}")
    return figures


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
