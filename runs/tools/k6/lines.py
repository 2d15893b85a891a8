"""Reads k6's JSON output (https://grafana.com/docs/k6/latest/results-output/real-time/json/).

Every metric is kept under k6's own name with all that k6 counts in it, by endpoint (else by check,
else by group) and status. Nearly all lines of a read repeat the tags of others, so the tags stay
bytes and are decoded once; values that share second, tags and metric are counted together.

What counts as a request beside that: a sample of http_req_duration, grpc_req_duration,
browser_http_req_duration or ws_connecting (one per WebSocket session), outside setup and teardown.
A script that imports none of these protocols has its iterations counted, as has one of gRPC
streams; where it imports one and requested nothing, every iteration may have failed before that.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

import msgspec

from runs.samples import REQUESTS, Batch, Cell, Key, Kind
from runs.tools.lines import LONGEST_NAME, Lines, endpoint

ITERATIONS, STREAMS = "iteration_duration", "grpc_streams"
USERS = "vus"
_MOST_LABELS, _LONGEST_TAGS = 5000, 4096
_MOST_KINDS = 1000
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_SENSELESS = (ValueError, OverflowError, RecursionError)  # msgspec's errors are ValueErrors
_NO_TAGS = msgspec.Raw(b"{}")


class _Data(msgspec.Struct, gc=False):
    """Of a sample time, value and tags; of a metric's declaration the type."""

    time: str = ""
    value: float = 0.0
    tags: msgspec.Raw = _NO_TAGS
    type: str = ""


class _Line(msgspec.Struct, gc=False):
    metric: str
    data: _Data


class _Tags(msgspec.Struct, gc=False):
    name: str = ""
    method: str = ""
    status: str = ""
    check: str = ""
    group: str = ""
    scenario: str = ""
    expected_response: str = ""


@dataclass(frozen=True, slots=True)
class _Label:
    """Where samples with the same metric and tags are counted; `request` where they are some."""

    key: Key
    request: Key | None = None
    failed: bool = False


class _Group:
    """Samples of one second with the same tags, by metric; `time` is that of the first."""

    __slots__ = ("samples", "time")

    def __init__(self, time: str) -> None:
        self.time = time
        self.samples: defaultdict[str, list[float]] = defaultdict(list)


_FAILED: dict[str, Callable[[_Tags], bool]] = {
    "http_req_duration": lambda tags: tags.expected_response == "false",
    "grpc_req_duration": lambda tags: tags.status not in {"", "0"},
    "ws_connecting": lambda tags: tags.status not in {"", "101"},
    "browser_http_req_duration": lambda tags: tags.status == "0" or tags.status >= "400",
}
_UNNAMED = {"ws_connecting": "WebSocket", ITERATIONS: "iteration"}
_decode_lines = msgspec.json.Decoder(_Line).decode_lines
_decode_line = msgspec.json.Decoder(_Line).decode
_decode_tags = msgspec.json.Decoder(_Tags).decode


class K6Reader:
    def __init__(self, *, speaks: bool = False) -> None:
        """`speaks`: the script imports a protocol."""
        self.hello = False
        self.dropped = 0
        self._speaks = speaks
        self._senseless = 0
        self._lines = Lines()
        self._kinds: dict[str, Kind] = {}
        self._labels: dict[tuple[str, bytes], _Label] = {}

    @property
    def garbage(self) -> int:
        return self._senseless + self._lines.oversized

    def feed(self, chunk: bytes) -> Batch:
        groups = self._group(self._decode(self._lines.cut(chunk)))
        batch = Batch(kinds=dict(self._kinds))
        for (_, tags), group in groups.items():
            self._take(group, tags, batch)
        return batch

    def _group(self, lines: Iterable[_Line]) -> dict[tuple[str, bytes], _Group]:
        """By second and tags. k6 writes a request's samples, alike in both, one after another."""
        groups: dict[tuple[str, bytes], _Group] = {}
        time, tags = None, _NO_TAGS
        for line in lines:
            data = line.data
            if data.type:
                self._declare(line.metric, data.type)
                continue
            if data.time != time or data.tags != tags:
                time, tags = data.time, data.tags
                key = time[:19], bytes(tags)
                group = groups.get(key)
                if group is None:
                    group = groups[key] = _Group(time)
                samples = group.samples
            samples[line.metric].append(data.value)
        return groups

    def _decode(self, block: bytes) -> Iterable[_Line]:
        try:
            return _decode_lines(block)
        except _SENSELESS:
            return self._decode_each(block)

    def _decode_each(self, block: bytes) -> Iterator[_Line]:
        for line in filter(bytes.strip, block.split(b"\n")):
            try:
                yield _decode_line(line)
            except _SENSELESS:
                self._senseless += 1

    def _declare(self, metric: str, kind: str) -> None:
        self.hello = True
        if metric in _FAILED or metric == STREAMS:
            self._labels.clear()  # from now on iterations are no requests, or are some
        if len(self._kinds) < _MOST_KINDS or metric in {*_FAILED, STREAMS}:
            self._kinds[metric] = _KINDS.get(kind, "trend")

    def _take(self, group: _Group, tags: bytes, batch: Batch) -> None:
        try:
            second = _second(group.time)
            labels = {metric: self._label(metric, tags) for metric in group.samples}
        except _SENSELESS:
            self._senseless += sum(map(len, group.samples.values()))
            return
        self.hello = True
        for metric, values in group.samples.items():
            self._count(second, labels[metric], values, batch)

    def _count(self, second: int, label: _Label, values: list[float], batch: Batch) -> None:
        if label.request:
            values = self._durations(values)
            if not values:
                return
            _count_requests(batch.cell(second, label.request), values, failed=label.failed)
        batch.cell(second, label.key).values += values
        if label.key.metric == USERS:
            batch.users[second] = int(values[-1])

    def _durations(self, values: list[float]) -> list[float]:
        kept = [value for value in values if value >= 0]
        self._senseless += len(values) - len(kept)
        return kept

    def _label(self, metric: str, tags: bytes) -> _Label:
        """Raises ValueError on tags that make no sense."""
        label = self._labels.get((metric, tags))
        if label is None:
            label = self._read_label(metric, _decode_tags(tags))
            if len(self._labels) >= _MOST_LABELS:
                self._labels.clear()
            if len(tags) <= _LONGEST_TAGS:
                self._labels[metric, tags] = label
        return label

    def _read_label(self, metric: str, tags: _Tags) -> _Label:
        name = tags.name or tags.check or tags.group
        name = endpoint(tags.method, name) if name else ""
        key = Key(metric[:LONGEST_NAME], name, tags.status[:LONGEST_NAME])
        if not self._is_request(metric) or _is_around_the_load(tags):
            return _Label(key)
        name = endpoint(tags.method, tags.name or _UNNAMED.get(metric))
        failed = metric in _FAILED and _FAILED[metric](tags)
        return _Label(key, Key(REQUESTS, name, key.status), failed)

    def _is_request(self, metric: str) -> bool:
        if metric != ITERATIONS:
            return metric in _FAILED
        is_one = STREAMS in self._kinds or not self._speaks
        return is_one and not self._kinds.keys() & _FAILED


def _count_requests(cell: Cell, values: list[float], *, failed: bool) -> None:
    """A failed request without a duration got no answer."""
    answered = [value for value in values if value] if failed else values
    cell.values += answered
    cell.unanswered += len(values) - len(answered)
    cell.errors += len(values) if failed else 0


def _is_around_the_load(tags: _Tags) -> bool:
    return not tags.scenario and tags.group in {"::setup", "::teardown"}


def _second(time: str) -> int:
    """The whole second of an RFC 3339 time."""
    return math.floor(datetime.fromisoformat(time).timestamp())
