"""The pass and fail language: `p95 > 800ms`, `p99.9 >= 1.5s`, `errors > 1%`, `rps < 50`.

A threshold says what a failure is (as Taurus does): the run fails when it is true of the whole run.
No data never passes.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from runs.samples import Totals
from runs.words import count, figure

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_UNITS = {"ms": 1.0, "s": 1000.0}
_EXAMPLES = "Write for example p95 > 800ms, errors > 1% or rps < 50."
_AVERAGES = {"avg", "mean", "average", "avg-rt"}
_WORD = re.compile(r"[A-Za-z][\w.-]*")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)", re.ASCII)


class ThresholdError(ValueError):
    """A threshold nobody can judge; `position` is the character where it stops making sense."""

    def __init__(self, text: str, position: int, sentence: str) -> None:
        super().__init__(sentence)
        self.text, self.position, self.sentence = text, position, sentence


@dataclass(frozen=True, slots=True)
class Threshold:
    """`limit` is in milliseconds, per cent, requests or requests a second, as `subject` has it."""

    text: str
    subject: str
    operator: str
    limit: float


@dataclass(frozen=True, slots=True)
class Check:
    """`held` is False when the run fails by it, None when there was nothing to judge."""

    text: str
    measured: str
    held: bool | None
    sentence: str


def parse(text: str) -> Threshold:
    """Raises ThresholdError."""
    subject, at = _read(text, 0, _WORD, f"Expected what to measure. {_EXAMPLES}")
    _check_subject(text, subject, at - len(subject))
    symbol, at = _read(text, at, re.compile("[<>]=?"), "Expected one of > >= < <=.")
    number, at = _read(text, at, _NUMBER, f"Expected a number. {_EXAMPLES}")
    factor, at = _read_unit(text, at, subject)
    if subject == "errors" and float(number) > 100:
        raise ThresholdError(text, text.index(number), "A share lies between 0 and 100 %.")
    if rest := text[at:].strip():
        raise ThresholdError(text, text.index(rest, at), f"Did not expect “{rest}” here.")
    return Threshold(text.strip(), subject, symbol, float(number) * factor)


def judge(threshold: Threshold, totals: Totals) -> Check:
    """Tell whether the whole run stayed clear of the failure that the threshold describes."""
    subject = threshold.subject
    value = _measure(subject, totals)
    if value is None:
        sentence = f"{subject} could not be judged: there is no data, and no data is not a pass"
        return Check(threshold.text, "no data", None, sentence)
    crossed = _OPERATORS[threshold.operator](value, threshold.limit)
    measured, limit = _say(subject, value), _say(subject, threshold.limit)
    if measured == limit and value != threshold.limit:
        measured = f"just {'above' if value > threshold.limit else 'below'} {limit}"
    held = False if crossed else (None if not totals.requests else True)
    sentence = f"{_NAMES.get(subject, subject)} {_verb(subject)} {measured}, limit {limit}"
    return Check(threshold.text, measured, held, sentence)


class _Token(NamedTuple):
    text: str
    end: int


def _read(text: str, at: int, pattern: re.Pattern[str], otherwise: str) -> _Token:
    start = _skip_blanks(text, at)
    found = pattern.match(text, start)
    if not found:
        raise ThresholdError(text, start, otherwise)
    return _Token(found.group(), found.end())


def _skip_blanks(text: str, at: int) -> int:
    return at + len(text[at:]) - len(text[at:].lstrip())


def _check_subject(text: str, subject: str, at: int) -> None:
    if subject in {"errors", "rps", "requests", "max"}:
        return
    if subject in _AVERAGES:
        sentence = "An average hides the slow requests behind the fast ones. Use p50, p95 or p99."
        raise ThresholdError(text, at, sentence)
    quantile = _QUANTILE.fullmatch(subject)
    if not quantile:
        known = "p1 to p99.99, max, errors, rps and requests"
        raise ThresholdError(text, at, f"Nothing here is called “{subject}”. There are {known}.")
    if not float(quantile[1]):
        raise ThresholdError(text, at + 1, "A percentile lies between 0 and 100, as in p95.")


def _read_unit(text: str, at: int, subject: str) -> tuple[float, int]:
    start = _skip_blanks(text, at)
    unit = re.compile(r"[^\W\d_]+|%").match(text, start)
    word = unit.group() if unit else ""
    end = start + len(word)
    if subject in {"rps", "requests"}:
        if word:
            raise ThresholdError(text, start, f"{subject} is a plain number, without a unit.")
        return 1.0, at
    if subject == "errors":
        if word != "%":
            raise ThresholdError(text, start, "Say how many of the requests, as in errors > 1%.")
        return 1.0, end
    if word not in _UNITS:
        raise ThresholdError(text, start, "Say the unit: 800ms or 0.8s.")
    return _UNITS[word], end


def _measure(subject: str, totals: Totals) -> float | None:
    if subject == "requests":
        return float(totals.requests)
    if not totals.requests:
        return None
    if subject == "rps":
        return totals.rps
    if subject == "errors":
        return 100 * totals.error_rate
    return totals.quantile_ms(1.0 if subject == "max" else float(subject[1:]) / 100)


_NAMES = {"errors": "the share of errors", "rps": "the rate", "max": "the slowest request"}


def _verb(subject: str) -> str:
    return "were" if subject == "requests" else "was"


def _say(subject: str, value: float) -> str:
    if subject == "requests":
        return count(round(value))
    if subject == "rps":
        return f"{figure(value)}/s"
    if subject == "errors":
        return f"{figure(value)} %"
    if round(value) >= 1000:
        return f"{figure(value / 1000)} s"
    return f"{figure(value)} ms"
