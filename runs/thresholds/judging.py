"""Judges thresholds live, second by second, and at the end of a run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from runs.samples import Endpoint, Metric, Second, Tally, Totals
from runs.samples.sketch import Sketch
from runs.thresholds import measuring
from runs.thresholds.language import LONGEST_SPAN_S, Threshold
from runs.thresholds.measuring import Measured
from runs.thresholds.trial import NO_DATA, Breach, Heat, Trial

MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Check:
    """`held` is False when the run fails by it, None when there was nothing to judge."""

    text: str
    measured: str
    held: bool | None
    sentence: str


class Judge:
    """Seconds are seen once and in order; one that is missing between two of them was empty."""

    def __init__(self, thresholds: Iterable[Threshold]) -> None:
        self._trials = [Trial(threshold) for threshold in thresholds]
        self._labels = {trial.threshold.label for trial in self._trials} - {""}
        self._last: int | None = None

    def see(self, second: Second) -> list[Breach]:
        """The breaches that begin with this second."""
        breaches = []
        for each in self._without_gap(second):
            measured = measuring.of_second(each, self._labels)
            found = (trial.see(each.at, measured) for trial in self._trials)
            breaches += [breach for breach in found if breach]
        return breaches

    def heat(self) -> list[Heat]:
        return [trial.heat() for trial in self._trials]

    def kept(self) -> list[dict[str, Any]]:
        """Every threshold that was broken while the test ran, as JSON."""
        return [kept for trial in self._trials if (kept := trial.kept())]

    def checks(
        self, totals: Totals, endpoints: Sequence[Endpoint], metrics: Sequence[Metric]
    ) -> tuple[Check, ...]:
        """What each threshold says of the whole run."""
        run = measuring.of_run(totals, endpoints, metrics)
        return tuple(
            _check_span(trial, run) if trial.threshold.when else _check_run(trial.threshold, run)
            for trial in self._trials
        )

    def _without_gap(self, second: Second) -> Iterator[Second]:
        last = second.at - 1 if self._last is None else self._last
        if second.at <= last:
            return
        self._last = second.at
        for at in range(max(last + 1, second.at - LONGEST_SPAN_S), second.at):
            yield Second(at, 0, 0, None, Sketch())
        yield second


def _check_span(trial: Trial, run: Measured) -> Check:
    threshold = trial.threshold
    if trial.first:
        times = f" ({trial.breaches} times)" if trial.breaches > 1 else ""
        return Check(threshold.text, trial.first.measured, False, trial.first.sentence + times)
    if trial.is_judged:
        never = "never stayed" if threshold.when == "for" else f"{measuring.verb(threshold)} never"
        sentence = f"{measuring.name(threshold)} {never} {measuring.side(threshold)}"
        return Check(threshold.text, trial.worst, True, sentence)
    why = _unknown(threshold, run)
    if not why and trial.seen < threshold.seconds:
        why = f"the test had {trial.seen} of the {threshold.seconds} s that it needs"
    return _no_data(threshold, why)


def _check_run(threshold: Threshold, run: Measured) -> Check:
    found = run.find(threshold) or Tally()
    value = None
    if found.count or threshold.subject == "requests":
        value = measuring.measure(threshold, found, seconds=run.seconds, users=run.users)
    if value is None:
        return _no_data(threshold, _unknown(threshold, run))
    is_crossed = measuring.is_crossed(threshold, value)
    held = False if is_crossed else (None if not found.count else True)
    measured, limit = (
        measuring.say_apart(threshold, value),
        measuring.say(threshold, threshold.limit),
    )
    sentence = f"{measuring.name(threshold)} {measuring.verb(threshold)} {measured}, limit {limit}"
    unknown = _unknown(threshold, run)
    return Check(threshold.text, measured, held, f"{sentence}; {unknown}" if unknown else sentence)


def _no_data(threshold: Threshold, why: str) -> Check:
    why = why or "there is no data"
    sentence = f"{measuring.name(threshold)} could not be judged: {why}, and no data is not a pass"
    return Check(threshold.text, NO_DATA, None, sentence)


def _unknown(threshold: Threshold, run: Measured) -> str:
    """That nothing has the label, and what there is; empty where something has it."""
    if not threshold.label or run.find(threshold):
        return ""
    labels = list(run.metrics if threshold.is_metric else run.endpoints)
    named = ", ".join(f"“{label}”" for label in labels[:MOST_NAMED])
    more = f" and {len(labels) - MOST_NAMED} more" if len(labels) > MOST_NAMED else ""
    kind = "metric" if threshold.is_metric else "endpoint"
    there_are = f"there are {named}{more}" if labels else "there are none"
    return f"no {kind} is called “{threshold.label}” ({there_are})"
