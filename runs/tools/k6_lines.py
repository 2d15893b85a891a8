"""Reads k6's JSON output (https://grafana.com/docs/k6/latest/results-output/real-time/json/).

k6 writes at least 13 lines for a request and one of them holds what we need, so the wanted lines
are found by their fixed beginning and only those are decoded. Where a block of lines does not look
like that, each of its lines is decoded.

What counts as a request: a sample of http_req_duration, grpc_req_duration,
browser_http_req_duration or ws_connecting (one per WebSocket session). A script that uses none of
these protocols has its iterations counted.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec

from runs.samples import REQUESTS, Batch, Key
from runs.tools.lines import Lines, endpoint

ITERATIONS = "iteration_duration"
USERS = "vus"
_POINT = b'","type":"Point","data":{"time":"'
_MOST_NAMES = 1000
_SENSELESS = (ValueError, OverflowError, RecursionError)  # msgspec's errors are ValueErrors


class _Tags(msgspec.Struct, gc=False):
    name: str = ""
    method: str = ""
    status: str = ""
    group: str = ""
    scenario: str = ""
    expected_response: str = ""


class _Data(msgspec.Struct, gc=False):
    time: str = ""
    value: float = 0.0
    tags: _Tags = msgspec.field(default_factory=_Tags)


class _Line(msgspec.Struct, gc=False):
    type: str
    metric: str
    data: _Data


_FAILED: dict[str, Callable[[_Tags], bool]] = {
    "http_req_duration": lambda tags: tags.expected_response == "false",
    "grpc_req_duration": lambda tags: tags.status not in {"", "0"},
    "ws_connecting": lambda tags: tags.status not in {"", "101"},
    "browser_http_req_duration": lambda tags: tags.status == "0" or tags.status >= "400",
}
_UNNAMED = {"ws_connecting": "WebSocket", ITERATIONS: "iteration"}


class K6Reader:
    def __init__(self) -> None:
        self.hello = False
        self.dropped = 0
        self._senseless = 0
        self._lines = Lines()
        decoder = msgspec.json.Decoder(_Line)
        self._decode_one, self._decode_many = decoder.decode, decoder.decode_lines
        self._declared: set[str] = set()
        self._seconds: dict[str, int] = {}
        self._names: dict[tuple[str, str, str], str] = {}

    @property
    def garbage(self) -> int:
        return self._senseless + self._lines.oversized

    def feed(self, chunk: bytes) -> Batch:
        batch = Batch()
        block = self._lines.cut(chunk)
        if not block:
            return batch
        fixed = block.count(b"\n") == block.count(_POINT)
        lines = (
            list(self._wanted(block)) if fixed else list(filter(bytes.strip, block.split(b"\n")))
        )
        self.hello = self.hello or fixed
        for line in self._decode(lines):
            self._read(line, batch)
        return batch

    def _wanted(self, block: bytes) -> Iterator[bytes]:
        """The lines that matter, where every line begins as k6 writes it and declares nothing."""
        for metric in self._wanted_metrics():
            beginning = b'{"metric":"' + metric.encode() + _POINT
            start = block.find(beginning)
            while start >= 0:
                end = block.index(b"\n", start)
                yield block[start:end]
                start = block.find(beginning, end)

    def _wanted_metrics(self) -> list[str]:
        requests = sorted(self._declared & _FAILED.keys())
        return [*(requests or [ITERATIONS]), USERS]

    def _decode(self, lines: list[bytes]) -> Iterable[_Line]:
        try:
            return self._decode_many(b"\n".join(lines))
        except _SENSELESS:
            return self._decode_each(lines)

    def _decode_each(self, lines: list[bytes]) -> Iterator[_Line]:
        for line in lines:
            try:
                yield self._decode_one(line)
            except _SENSELESS:
                self._senseless += 1

    def _read(self, line: _Line, batch: Batch) -> None:
        try:
            if line.type == "Point":
                self._take(line.metric, line.data, batch)
            elif line.type == "Metric":
                self._declared.add(line.metric)
            self.hello = True
        except _SENSELESS:
            self._senseless += 1

    def _take(self, metric: str, data: _Data, batch: Batch) -> None:
        """Raises ValueError where a time or value makes no sense."""
        if metric in _FAILED:
            self._take_request(metric, data, batch, failed=_FAILED[metric](data.tags))
        elif metric == USERS:
            batch.users[self._second(data.time)] = int(data.value)
        elif metric == ITERATIONS and not self._declared & _FAILED.keys():
            self._take_request(metric, data, batch, failed=False)

    def _take_request(self, metric: str, data: _Data, batch: Batch, *, failed: bool) -> None:
        tags, value = data.tags, data.value
        if not tags.scenario and tags.group in {"::setup", "::teardown"}:
            return
        if not 0 <= value < math.inf:
            raise ValueError("not a duration")
        latency = None if failed and not value else value
        key = Key(REQUESTS, self._name(metric, tags), tags.status)
        batch.add(self._second(data.time), key, latency, failed=failed)

    def _second(self, time: str) -> int:
        """The whole second of an RFC 3339 time; in UTC remembered by its first 19 characters."""
        known = self._seconds.get(time[:19])
        if time[-1:] != "Z":
            return math.floor(datetime.fromisoformat(time).timestamp())
        if known is None:
            if len(self._seconds) > _MOST_NAMES:
                self._seconds.clear()
            known = int(datetime.fromisoformat(time[:19] + "+00:00").timestamp())
            self._seconds[time[:19]] = known
        return known

    def _name(self, metric: str, tags: _Tags) -> str:
        key = (metric, tags.method, tags.name)
        known = self._names.get(key)
        if known is None:
            if len(self._names) > _MOST_NAMES:
                self._names.clear()
            known = self._names[key] = endpoint(tags.method, tags.name or _UNNAMED.get(metric))
        return known
