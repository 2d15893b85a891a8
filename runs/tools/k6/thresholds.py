"""A k6 script's own thresholds, judged on the merged seconds of all shards as k6 judges a run.

https://grafana.com/docs/k6/latest/using-k6/thresholds/
What they measure is known within bounds (a percentile within 0.4 %, as sketches keep it): a
threshold is judged where all of them agree, and else told as not judged, with the reason.
"""

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runs.samples import Key, Kind, Second, Tally
from runs.samples.limits import OTHER
from runs.tools import OwnVerdict
from runs.tools.k6.spans import NOUGHT, Span, average, holds, quantile, share_of
from runs.tools.lines import endpoint

LONGEST = 300
_THRESHOLD = re.compile(
    r"(?P<metric>[^\s{]+)(?:\{(?P<tags>.*)\})?\s+"
    r"(?P<method>count|rate|value|avg|min|max|med|p\((?P<percent>\d+(?:\.\d+)?)\))\s*"
    r"(?P<operator>===|==|!=|>=|<=|>|<)\s*(?P<limit>[-+.\deE]+)\s*",
    re.DOTALL,
)
_METRIC = re.compile(r"[^\s{]+")
_LOAD = "iterations"  # counted under load alone, not in setup() or teardown()
_RATES = {"checks", "http_req_failed"}
_PARTS = ("blocked", "connecting", "duration", "receiving", "sending", "tls_handshaking", "waiting")
_OF_REQUESTS = {"http_reqs", "http_req_failed", *(f"http_req_{part}" for part in _PARTS)}
# Of which metrics a key's name or status is surely the value of this tag.
_NAMED_BY = {
    "name": _OF_REQUESTS,
    "status": _OF_REQUESTS,
    "check": {"checks"},
    "group": {"group_duration"},
}


class _CannotTell(Exception):
    """Why a threshold cannot be judged, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class _Threshold:
    metric: str
    tags: Mapping[str, str]
    method: str
    quantile: float
    operator: str
    limit: float


class K6Judge:
    """Sees every second once, and keeps of it what the thresholds are about."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._metrics = {found[0] for text in texts if (found := _METRIC.match(text))}
        self._cells: dict[Key, Tally] = {}
        self._load: tuple[int, int] | None = None

    def see(self, second: Second) -> None:
        for key, tally in second.cells.items():
            if key.metric in self._metrics or key.metric == OTHER:
                self._cells.setdefault(key, Tally()).add(tally)
            if key.metric == _LOAD:
                first, _ = self._load or (second.at, second.at)
                self._load = first, second.at

    def judge(self, text: str, kinds: Mapping[str, Kind], longest_s: float) -> OwnVerdict:
        """`longest_s`: what the test with its setup() and teardown() took at the most."""
        first, last = self._load or (0, 0)
        lasted = Span(max(0.0, last - first - 1.0), longest_s)
        try:
            return OwnVerdict(text, _judge(_read(text), self._cells, kinds, lasted))
        except _CannotTell as why:
            return OwnVerdict(f"{text[:LONGEST]} ({why})", None)


def _read(text: str) -> _Threshold:
    found = _THRESHOLD.fullmatch(text)
    with contextlib.suppress(ValueError):
        if found:
            return _Threshold(
                metric=found["metric"],
                tags=dict(map(_read_tag, filter(None, (found["tags"] or "").split(",")))),
                method=found["method"].partition("(")[0],
                quantile=float(found["percent"] or 50) / 100,
                operator=found["operator"],
                limit=float(found["limit"]),
            )
    raise _CannotTell("it is written in a way that only k6 understands")


def _read_tag(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip().strip("\"'"), value.strip().strip("\"'")


def _judge(
    threshold: _Threshold, cells: Mapping[Key, Tally], kinds: Mapping[str, Kind], lasted: Span
) -> bool:
    kind = kinds.get(threshold.metric) or ("rate" if threshold.metric in _RATES else None)
    found = _find(threshold, cells)
    if found is None:
        return _judge_nothing(threshold, kind)
    held = holds(_measure(threshold, kind, found, lasted), threshold.operator, threshold.limit)
    if held is None:
        raise _CannotTell("too near to its limit to tell")
    return held


def _judge_nothing(threshold: _Threshold, kind: Kind | None) -> bool:
    """k6 takes zero for what was never measured, but lets every threshold of a rate hold."""
    held = bool(holds(NOUGHT, threshold.operator, threshold.limit))
    if threshold.method != "rate" or held or kind == "counter":
        return held
    if kind == "rate":
        return True
    raise _CannotTell("it was never measured")


def _measure(threshold: _Threshold, kind: Kind | None, found: Tally, lasted: Span) -> Span:
    match threshold.method:
        case "value":
            raise _CannotTell("what a gauge shows is one shard's and not the whole's")
        case "count":
            return Span(found.total, found.total)
        case "rate":
            return average(found) if kind == "rate" else share_of(found.total, lasted)
        case "avg":
            return average(found)
        case "min" | "max" as end:
            return quantile(found.sketch, float(end == "max"))
    return quantile(found.sketch, threshold.quantile)


def _find(threshold: _Threshold, cells: Mapping[Key, Tally]) -> Tally | None:
    """All samples that it is about; None where there was none."""
    metric, tags = threshold.metric, threshold.tags
    own = {key: tally for key, tally in cells.items() if key.metric == metric}
    if not own and any(key.metric == OTHER for key in cells):
        raise _CannotTell("there are too many metrics to keep them apart")
    for tag, value in tags.items():
        own = _tagged(own, metric, tag, value)
    if not own:
        return None
    whole = Tally()
    for tally in own.values():
        whole.add(tally)
    return whole


def _tagged(own: Mapping[Key, Tally], metric: str, tag: str, value: str) -> dict[Key, Tally]:
    by_status = tag == "status"
    if metric not in _NAMED_BY.get(tag, ()):
        raise _CannotTell(f"samples of {metric} are not kept apart by {tag}")
    if endpoint("GET", value) != value:
        raise _CannotTell(f"the {tag} is not kept as it is")
    if any(OTHER in {key.status if by_status else key.name} for key in own):
        raise _CannotTell(f"there are too many of a {tag} to keep them apart")
    found = {key: tally for key, tally in own.items() if key[2 if by_status else 1] == value}
    if not found and metric not in _OF_REQUESTS:
        raise _CannotTell(f"no {tag} of that name was seen")
    return found
