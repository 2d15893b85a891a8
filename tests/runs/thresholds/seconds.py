"""Seconds for a judge, made of raw values by the real aggregator."""

from collections.abc import Sequence
from functools import cached_property

from runs.samples import REQUESTS, Batch, Cell, Key, Second
from runs.samples.aggregator import Aggregator
from runs.thresholds import Check, Heat, Judge, parse

Requests = tuple[list[float], int, int]
"""Latencies of those that were answered, how many failed, how many of these without an answer."""
Raw = dict[str, Requests]
"""One second: what was requested, by endpoint."""


class Run:
    """A run of so many seconds from second 100 on; one that is None is never told of."""

    def __init__(self, seconds: Sequence[Raw | None], users: int | None = None) -> None:
        self.aggregator = Aggregator()
        for at, raw in enumerate(seconds, start=100):
            if raw is not None:
                self.add(at, raw, users)

    def add(self, at: int, raw: Raw, users: int | None = None) -> None:
        cells = {
            (at, Key(REQUESTS, name)): Cell(list(values), errors, unanswered)
            for name, (values, errors, unanswered) in raw.items()
        }
        self.aggregator.add(Batch(cells, {} if users is None else {at: users}))

    def measure(self, at: int, metric: str, *values: float, name: str = "home") -> None:
        self.aggregator.add(Batch({(at, Key(metric, name)): Cell(list(values))}))

    @cached_property
    def closed(self) -> list[Second]:
        return self.aggregator.closed(0.0, everything=True)

    def judged(self, *texts: str) -> "Judged":
        return Judged(self, texts)


class Judged:
    """What a judge said of a run: each breach as (text, since, at), the checks, the last heat."""

    def __init__(self, run: Run, texts: Sequence[str]) -> None:
        self.judge = Judge(map(parse, texts))
        self.breaches = [breach for second in run.closed for breach in self.judge.see(second)]
        self.spans = [(breach.since - 100, breach.at - 100) for breach in self.breaches]
        found = run.aggregator
        self.checks = self.judge.checks(found.totals(), found.endpoints(), found.metrics())

    @property
    def check(self) -> Check:
        (check,) = self.checks
        return check

    @property
    def heat(self) -> Heat:
        (heat,) = self.judge.heat()
        return heat


def took(*latencies: float, errors: int = 0, unanswered: int = 0, name: str = "home") -> Raw:
    return {name: (list(latencies), errors, unanswered)}
