"""What `k6 inspect --execution-requirements` says of a script, in our words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from clock import iso
from runs.tools import ToolProblem

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_TIMED = ("constant-vus", "constant-arrival-rate", "externally-controlled")
_SETUP = timedelta(seconds=60)
READ_TAGS = (
    *("status", "method", "name", "scenario", "group", "check", "error", "error_code"),
    "expected_response",
)
_BY_DEFAULT = ("proto", "subproto", "url", "tls_version", "service")
_NAMED_TAG = re.compile(r"[{,]\s*[\"']?(\w+)[\"']?\s*:")


@dataclass(frozen=True, slots=True)
class Scenario:
    """When it runs, as far as it says (`ends` None: it counts iterations), and its arrivals."""

    starts: timedelta
    ends: timedelta | None
    rate: float | None


def parse_duration(text: str) -> timedelta:
    """A duration as Go writes it: 1h2m3.5s. Raises ToolProblem."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ToolProblem(f"k6 did not say how long the script lasts (it said “{text}”).")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def refuse_longer(worst: timedelta, declared: timedelta) -> None:
    """Raises ToolProblem ("plan_too_long") where the script may outlast its declared time."""
    if worst <= declared:
        return
    raise ToolProblem(
        f"The script may take {iso.format_duration(worst)} (k6's totalDuration) but the run "
        f"declares {iso.format_duration(declared)}. k6 counts each scenario's gracefulStop, 30 s "
        "unless the script sets it, and 10 minutes where a scenario sets no duration. Declare "
        f"{iso.format_duration(_whole_seconds(worst))} or more, or shorten the script.",
        code="plan_too_long",
    )


def scenarios(plan: Mapping[str, Any]) -> tuple[Scenario, ...]:
    found = plan.get("scenarios") or {}
    return tuple(map(_scenario, found.values())) if isinstance(found, Mapping) else ()


def nominal(found: Iterable[Scenario]) -> timedelta | None:
    """The planned end of the last scenario; None where one ends by its iterations."""
    ends = [scenario.ends for scenario in found]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def peak_rate(found: Iterable[Scenario]) -> float | None:
    """The most iterations that begin in a second; None where a scenario begins them at will."""
    scenarios = list(found)
    rates = [scenario.rate for scenario in scenarios]
    if not rates or None in rates:
        return None
    return max(
        sum(other.rate or 0 for other in scenarios if _is_on(other, scenario.starts))
        for scenario in scenarios
    )


def around_it(plan: Mapping[str, Any]) -> timedelta:
    """What setup() and teardown() may take beside the scenarios."""
    spans = [plan.get(f"{name}Timeout") for name in ("setup", "teardown")]
    return sum((parse_duration(str(text)) if text else _SETUP for text in spans), timedelta())


def own_thresholds(plan: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for metric, limits in sorted((plan.get("thresholds") or {}).items()):
        for limit in limits:
            text = limit.get("threshold") if isinstance(limit, Mapping) else limit
            found.append(f"{metric} {text}")
    return tuple(found)


def system_tags(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that are read here, and of those that the script has by hand what a threshold names.

    The address and its like are left out otherwise: they cost time in every sample.
    """
    named = {tag for metric in plan.get("thresholds") or {} for tag in _NAMED_TAG.findall(metric)}
    by_hand = plan.get("systemTags")
    others = _BY_DEFAULT if by_hand is None else by_hand
    return *READ_TAGS, *(tag for tag in others if tag in named and tag not in READ_TAGS)


def _scenario(words: Mapping[str, Any]) -> Scenario:
    kind = str(words.get("executor"))
    starts = parse_duration(str(words.get("startTime") or "0s"))
    lasts: timedelta | None = None
    if kind in _TIMED:
        lasts = parse_duration(str(words.get("duration") or "0s"))
    elif kind.startswith("ramping-"):
        stages = words.get("stages") or ()
        lasts = sum((parse_duration(str(one["duration"])) for one in stages), timedelta())
    return Scenario(starts, None if lasts is None else starts + lasts, _rate(kind, words))


def _rate(kind: str, words: Mapping[str, Any]) -> float | None:
    if not kind.endswith("-arrival-rate"):
        return None
    unit = parse_duration(str(words.get("timeUnit") or "1s")).total_seconds() or 1.0
    targets = [stage.get("target") or 0 for stage in words.get("stages") or ()]
    return float(max(words.get("rate") or words.get("startRate") or 0, *targets, 0)) / unit


def _is_on(scenario: Scenario, at: timedelta) -> bool:
    return scenario.starts <= at and (scenario.ends is None or at < scenario.ends)


def _whole_seconds(span: timedelta) -> timedelta:
    return timedelta(seconds=-(-span // timedelta(seconds=1)))
