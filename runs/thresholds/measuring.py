"""What a threshold measures in a second, a span or a run, and how its figures are written."""

import operator
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from runs.samples import REQUESTS, Endpoint, Metric, Second, Tally, Totals
from runs.thresholds.language import COUNTS, Threshold
from runs.words import count, figure

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_NAMES = {
    "errors": "the share of errors",
    "failures": "failed requests",
    "max": "the slowest request",
    "rate": "the share",
    "rps": "the rate",
    "sum": "the sum",
}
_PLURALS = {"failures", "requests", "users"}
_SAID_AS = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below"}


@dataclass(frozen=True, slots=True)
class Measured:
    """A second or a run, by the labels that thresholds ask for; `seconds` is its length."""

    everything: Tally
    users: int | None
    seconds: int
    endpoints: dict[str, Tally] = field(default_factory=dict)
    metrics: dict[str, Tally] = field(default_factory=dict)

    def find(self, threshold: Threshold) -> Tally | None:
        """Its part of the samples; None where nothing of that name was measured."""
        if not threshold.label:
            return self.everything
        if not threshold.is_metric and (found := self.endpoints.get(threshold.label)):
            return found
        if threshold.is_metric or threshold.quantile is not None:
            return self.metrics.get(threshold.label)
        return None


def of_second(second: Second, labels: Collection[str]) -> Measured:
    endpoints: dict[str, Tally] = {}
    metrics: dict[str, Tally] = {}
    if labels:
        for key, tally in second.cells.items():
            if key.metric != REQUESTS and key.metric in labels:
                metrics.setdefault(key.metric, Tally()).add(tally)
            elif key.metric == REQUESTS and key.name in labels:
                endpoints.setdefault(key.name, Tally()).add(tally)
    everything = Tally(second.requests, second.errors, 0.0, second.sketch)
    return Measured(everything, second.users, 1, endpoints, metrics)


def of_run(totals: Totals, endpoints: Iterable[Endpoint], metrics: Iterable[Metric]) -> Measured:
    return Measured(
        Tally(totals.requests, totals.errors, 0.0, totals.sketch),
        totals.users,
        totals.seconds,
        {word.name: Tally(word.requests, word.errors, 0.0, word.sketch) for word in endpoints},
        {word.name: Tally(word.count, 0, word.total, word.sketch) for word in metrics},
    )


def measure(threshold: Threshold, found: Tally, *, seconds: int, users: int | None) -> float | None:
    """In the unit of the limit; None where there is nothing to judge. Counts start at zero."""
    match threshold.subject:
        case "users":
            return None if users is None else float(users)
        case "rps":
            return found.count / seconds if seconds else 0.0
        case "requests":
            return float(found.count)
        case "failures":
            return float(found.errors)
        case "sum":
            return found.total
        case "errors":
            return 100 * found.errors / found.count if found.count else None
        case "rate":
            return 100 * found.total / found.count if found.count else None
    return found.sketch.quantile(threshold.quantile or 0.0)


def is_crossed(threshold: Threshold, value: float) -> bool:
    return _OPERATORS[threshold.operator](value, threshold.limit)


def name(threshold: Threshold) -> str:
    subject = _NAMES.get(threshold.subject, threshold.subject)
    return f"{subject} of {threshold.label}" if threshold.label else subject


def verb(threshold: Threshold) -> str:
    return "were" if threshold.subject in _PLURALS else "was"


def side(threshold: Threshold) -> str:
    """On which side of its limit a threshold is crossed: `above 800 ms`."""
    return f"{_SAID_AS[threshold.operator]} {say(threshold, threshold.limit)}"


def say(threshold: Threshold, value: float) -> str:
    if threshold.subject == "rps":
        return f"{figure(value)}/s"
    if threshold.unit == "%":
        return f"{figure(value)} %"
    if threshold.subject in {"users", *COUNTS}:
        return count(round(value)) if float(value).is_integer() else figure(value)
    if not threshold.unit:
        return figure(value)
    return f"{figure(value / 1000)} s" if round(value) >= 1000 else f"{figure(value)} ms"


def say_apart(threshold: Threshold, value: float) -> str:
    """As `say`, but never the same words as the limit for a value that is not the limit."""
    measured, limit = say(threshold, value), say(threshold, threshold.limit)
    if measured != limit or value == threshold.limit:
        return measured
    return f"just {'above' if value > threshold.limit else 'below'} {limit}"


def nearness(threshold: Threshold, value: float) -> float:
    """How near to its limit, 1 where it is reached: for the eye, not for a verdict."""
    limit = threshold.limit
    near, far = (value, limit) if ">" in threshold.operator else (limit, value)
    return min(near / far, 1.0) if far else 0.0
