"""The pass and fail language, from text to Threshold; docs/thresholds.md has its grammar."""

import re
from dataclasses import dataclass, field

from runs.thresholds.cursor import Cursor

FEATURES = ("rsvp", "photos", "timeline", "guest list", "messaging")
COUNTS = ("rps", "requests", "failures", "sum")
LONGEST_TEXT = 1000
LONGEST_SPAN_S = 3600

_SHARES = ("errors", "rate")
_OF_METRICS = ("rate", "sum")
_KNOWN = (
    "p1 to p99.99, max, errors, failures, rps, requests and users, and of a metric rate and sum"
)
_EXAMPLES = "Write for example p95 > 800ms, errors > 1% or rps < 50."
_AVERAGES = {"avg", "mean", "average", "avg-rt"}
_FACTORS = {"ms": 1.0, "s": 1000.0}
_END = r"(?![\w.-])"
_WORD = re.compile(r"[A-Za-z][\w.-]*")
_CRITICAL = re.compile(rf"wedding-critical{_END}\s*:?")
_FEATURE = re.compile(rf"feature{_END}")
_FEATURE_NAME = re.compile(
    "|".join(name.replace(" ", r"\s+") + _END for name in FEATURES), re.ASCII
)
_OF, _METRIC = re.compile(rf"of{_END}"), re.compile(r"metric(?=\s+[^\s<>=])")
_BARE, _QUOTED = re.compile(r'[^\s"<>=,]+'), re.compile(r'"((?:[^"\\\n]|\\["\\])*)"')
_OPERATOR = re.compile("[<>]=?")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_UNIT = re.compile(rf"(?!(?:for|over){_END})[^\W\d_]+|%")
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)", re.ASCII)
_WHEN = re.compile(rf"(?:for|over){_END}")
_SPAN = re.compile(
    r"(?=\d)(?:(\d{1,5})\s*h)?\s*(?:(\d{1,5})\s*m)?\s*(?:(\d{1,5})\s*s)?(?!\w)", re.ASCII
)
_COMMA, _ACTION = re.compile(","), re.compile(rf"(?:stop|continue)\s+as\s+failed{_END}")


@dataclass(frozen=True, slots=True)
class Threshold:
    """`limit` is in milliseconds where `unit` is a time, else in per cent or a plain number.

    `label` names an endpoint or, where there is none of that name, a metric; `is_metric` asks for
    the metric. `when` is `for`, `over` (then `seconds` long) or nothing: the whole run.
    """

    text: str = field(compare=False)
    subject: str
    operator: str
    number: str
    unit: str
    label: str = ""
    is_metric: bool = False
    when: str = ""
    seconds: int = 0
    stops: bool = False
    is_critical: bool = False
    feature: str = ""

    @property
    def limit(self) -> float:
        return float(self.number) * _FACTORS.get(self.unit, 1.0)

    @property
    def quantile(self) -> float | None:
        """Between 0 and 1 where the subject is a percentile or the slowest, else None."""
        if self.subject == "max":
            return 1.0
        found = _QUANTILE.fullmatch(self.subject)
        return float(found[1]) / 100 if found else None

    @property
    def needs_full_seconds(self) -> bool:
        """Whether a second that was cut short could seem a failure: it only counts too few."""
        return bool(self.when) and self.subject in COUNTS and "<" in self.operator


def parse(text: str) -> Threshold:
    """Raises ThresholdError."""
    cursor = Cursor(text)
    if len(text) > LONGEST_TEXT:
        raise cursor.error(f"A threshold has at most {LONGEST_TEXT} characters.", LONGEST_TEXT)
    is_critical, feature = _read_marks(cursor)
    subject = _read_subject(cursor)
    label, is_metric = _read_label(cursor, subject)
    operator = _read_operator(cursor, label)
    number, unit = _read_limit(cursor, subject, label, is_metric)
    when, seconds = _read_span(cursor, subject)
    stops = _read_action(cursor, when)
    cursor.expect_end()
    return Threshold(
        text=text.strip(),
        subject=subject,
        operator=operator,
        number=number,
        unit=unit,
        label=label,
        is_metric=is_metric,
        when=when,
        seconds=seconds,
        stops=stops,
        is_critical=is_critical,
        feature=feature,
    )


def _read_marks(cursor: Cursor) -> tuple[bool, str]:
    is_critical, feature = bool(cursor.maybe(_CRITICAL)), ""
    if cursor.maybe(_FEATURE):
        known = f"{', '.join(FEATURES[:-1])} and {FEATURES[-1]}"
        name = cursor.take(_FEATURE_NAME, f"Expected a feature. There are {known}.")
        feature = " ".join(name.split())
        cursor.take(re.compile(":"), f"Expected a colon, as in feature {feature}: p95 > 800ms.")
    return bool(cursor.maybe(_CRITICAL)) or is_critical, feature


def _read_subject(cursor: Cursor) -> str:
    subject = cursor.take(_WORD, f"Expected what to measure. {_EXAMPLES}")
    start = cursor.at - len(subject)
    if subject in {"max", "users", *_SHARES, *COUNTS}:
        return subject
    if subject in _AVERAGES:
        sentence = "An average hides the slow requests behind the fast ones. Use p50, p95 or p99."
        raise cursor.error(sentence, start)
    quantile = _QUANTILE.fullmatch(subject)
    if not quantile:
        sentence = f"Nothing here is called “{subject}”. There are {_KNOWN}."
        raise cursor.error(sentence, start)
    if not float(quantile[1]):
        sentence = "A percentile lies between 0 and 100, as in p95."
        raise cursor.error(sentence, start + 1)
    return subject


def _read_label(cursor: Cursor, subject: str) -> tuple[str, bool]:
    start = cursor.skip_blanks()
    if not cursor.maybe(_OF):
        if subject in _OF_METRICS:
            raise cursor.error(f"Say of which metric of the tool, as in {subject} of checks.")
        return "", False
    if subject == "users":
        raise cursor.error("Users are those of the whole test, not of one endpoint.", start)
    start = cursor.skip_blanks()
    is_metric = bool(cursor.maybe(_METRIC))
    if is_metric and subject in {"errors", "failures", "rps", "requests"}:
        raise cursor.error("A metric has percentiles, max, rate and sum.", start)
    return _read_name(cursor), is_metric or subject in _OF_METRICS


def _read_name(cursor: Cursor) -> str:
    start = cursor.skip_blanks()
    if quoted := cursor.maybe(_QUOTED):
        if name := re.sub(r"\\(.)", r"\1", quoted[1:-1]):
            return name
        raise cursor.error("The name between the quotes is empty.", start)
    if cursor.text.startswith('"', start):
        sentence = (
            r"These quotes do not close. Between them write \" for a quote, \\ for a backslash."
        )
        raise cursor.error(sentence, start)
    return cursor.take(_BARE, "Expected a name, as in p95 of checkout > 800ms.")


def _read_operator(cursor: Cursor, label: str) -> str:
    hint = ' A name with blanks stands in quotes: "GET /rsvp".' if label else ""
    return cursor.take(_OPERATOR, f"Expected one of > >= < <=.{hint}")


def _read_limit(cursor: Cursor, subject: str, label: str, is_metric: bool) -> tuple[str, str]:
    start = cursor.skip_blanks()
    number = cursor.take(_NUMBER, f"Expected a number. {_EXAMPLES}")
    unit_at = cursor.skip_blanks()
    unit = cursor.maybe(_UNIT)
    if problem := _unit_problem(subject, unit, label, is_metric):
        raise cursor.error(problem, unit_at)
    if subject in _SHARES and float(number) > 100:
        raise cursor.error("A share lies between 0 and 100 %.", start)
    return number, unit


def _unit_problem(subject: str, unit: str, label: str, is_metric: bool) -> str:
    if subject == "errors":
        sentence = "Say how many of the requests, as in errors > 1%; failures > 10 counts them."
        return "" if unit == "%" else sentence
    if subject == "rate":
        return "" if unit == "%" else f"Say which share, as in rate of {label} < 99%."
    if subject in {"users", *COUNTS}:
        return f"{subject} is a plain number, without a unit." if unit else ""
    if unit in _FACTORS or (is_metric and not unit):
        return ""
    hint = f" Of a metric that is no time: {subject} of metric {label}." if label else ""
    return f"Say the unit: 800ms or 0.8s.{hint}"


def _read_span(cursor: Cursor, subject: str) -> tuple[str, int]:
    start = cursor.skip_blanks()
    when = cursor.maybe(_WHEN)
    if not when:
        return "", 0
    if when == "over" and subject == "users":
        raise cursor.error(
            "Users are not summed over time. Use for, as in users < 5 for 10s.", start
        )
    start = cursor.skip_blanks()
    found = _SPAN.match(cursor.text, start)
    if not found or not any(found.groups()):
        raise cursor.error("Expected whole seconds, minutes or hours: for 10s, over 1m.", start)
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    span = 3600 * hours + 60 * minutes + seconds
    if not 1 <= span <= LONGEST_SPAN_S:
        raise cursor.error("A span lies between 1 s and 1 h.", start)
    cursor.at = found.end()
    return when, span


def _read_action(cursor: Cursor, when: str) -> bool:
    if not cursor.maybe(_COMMA):
        return False
    start = cursor.skip_blanks()
    action = cursor.take(_ACTION, "Expected stop as failed or continue as failed.")
    stops = action.startswith("stop")
    if stops and not when:
        sentence = "Only for and over are judged while the test runs. Say how long: for 10s."
        raise cursor.error(sentence, start)
    return stops
