"""What Artillery's resolved script says of its load (https://www.artillery.io/docs/reference)."""

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from runs.tools import ToolProblem

_SPAN = re.compile(
    r"(\d*\.?\d+) *(ms|msecs?|milliseconds?|s|secs?|seconds?"
    r"|m|mins?|minutes?|h|hrs?|hours?|d|days?)?",
    re.IGNORECASE,
)
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LEGACY_CHECKS = ("min", "max", "median", "p95", "p99")
Number = int | float | str


class Phase(msgspec.Struct, rename="camel"):
    duration: Number | None = None
    pause: Number | None = None
    arrival_rate: Number | None = None
    arrival_count: Number | None = None
    ramp_to: Number | None = None
    max_vusers: Number | None = None
    name: str | None = None
    mode: str | None = None

    @property
    def seconds(self) -> float:
        """Raises ValueError where Artillery could not read it either."""
        return parse_span(self.duration if self.pause is None else self.pause)

    @property
    def arrivals(self) -> bool:
        """Whether anybody arrives in it. A count goes before a rate, and a pause before both."""
        if self.pause is not None:
            return False
        rates = (self.arrival_rate, self.ramp_to)
        counts = rates if self.arrival_count is None else (self.arrival_count,)
        return any(float(rate or 0) for rate in counts)

    @property
    def is_ramp(self) -> bool:
        return self.arrivals and self.arrival_count is None and self.ramp_to is not None

    @property
    def rate(self) -> float:
        """The most arrivals a second."""
        if not self.arrivals:
            return 0.0
        if self.arrival_count is not None:
            return float(self.arrival_count) / self.seconds
        return max(float(self.arrival_rate or 0), float(self.ramp_to or 0))


class Scenario(msgspec.Struct):
    engine: str
    name: str = ""
    quiet: bool = False
    """It makes no request that can be heard: another engine's, or only functions."""


class Plan(msgspec.Struct):
    """The file that the plan plugin writes."""

    artillery: str
    node: str
    target: str
    phases: list[Phase]
    plugins: list[str]
    scenarios: list[Scenario]
    ensure: dict[str, object]
    urls: list[str]
    hooks: list[str] = []

    @property
    def nominal(self) -> timedelta:
        """Until the last user arrives: how long that one stays is known to nobody."""
        return timedelta(seconds=sum(phase.seconds for phase in self.phases))

    @property
    def peak_rate(self) -> float:
        return max((phase.rate for phase in self.phases), default=0.0)

    @property
    def peak_users(self) -> int | None:
        """The most users at once; None where a phase sets no maxVusers, so that they may pile up.

        Users who arrive by arrivalCount cannot be more than that.
        """
        most, counted = 0, 0
        for phase in self.phases:
            if phase.max_vusers is not None:
                most = max(most, int(float(phase.max_vusers)))
            elif phase.arrival_count is not None:
                counted += math.ceil(float(phase.arrival_count))
            elif phase.arrivals:
                return None
        return most + counted

    @property
    def hosts(self) -> tuple[str, ...]:
        found = [urlsplit(url).netloc.rpartition("@")[2] for url in (self.target, *self.urls)]
        return tuple(dict.fromkeys(host for host in found if host and "{{" not in host))

    @property
    def thresholds(self) -> tuple[str, ...]:
        """The ensure plugin's checks, in the words by which it reports them."""
        return tuple(text for text, _ in self._checks())

    @property
    def unheard(self) -> list[str]:
        """What a person should know of requests that nobody can count."""
        quiet = [scenario for scenario in self.scenarios if scenario.quiet]
        if quiet and len(quiet) == len(self.scenarios):
            return [
                "The script asks nothing over HTTP, WebSocket or Socket.IO itself: each user's "
                "session is counted as one request. What its functions or its own engine measure "
                "is shown among the metrics."
            ]
        return [
            f"The scenario “{scenario.name or 'without a name'}” makes no request that can be "
            "counted (functions only, or an engine of its own): its figures are among the metrics."
            for scenario in quiet
        ]

    def _checks(self) -> list[tuple[str, bool]]:
        ensure, found = self.ensure, []
        for threshold in _dicts(ensure.get("thresholds")):
            found += [(f"{name} < {limit}", True) for name, limit in list(threshold.items())[:1]]
        for condition in _dicts(ensure.get("conditions")):
            strict = condition.get("strict") is not False
            found.append((str(condition.get("expression")), strict))
        found += [(f"{name} < {ensure[name]}", True) for name in ensure if name in _LEGACY_CHECKS]
        if "maxErrorRate" in ensure:
            found.append((f"maxErrorRate < {ensure['maxErrorRate']}", True))
        return found


def read(data: bytes) -> Plan:
    """Raises ToolProblem where the script's phases are not what Artillery can run."""
    try:
        plan = msgspec.json.decode(data, type=Plan)
        for phase in plan.phases:
            _refuse_fraction(phase)
        _ = plan.nominal, plan.peak_rate, plan.peak_users
    except (ValueError, ZeroDivisionError) as error:
        sentence = f"Artillery's phases make no sense: {error}."
        raise ToolProblem(sentence, code="script_invalid") from None
    return plan


def parse_span(value: Number | None) -> float:
    """Seconds of a duration as Artillery writes it: 60, "60", "10m", "1.5 hours"."""
    if isinstance(value, int | float):
        return float(value)
    found = _SPAN.fullmatch((value or "").strip())
    if not found:
        raise ValueError(f"“{value}” is no duration")
    if not found[2]:
        return float(found[1])
    unit = "ms" if found[2].lower().startswith(("ms", "mil")) else found[2][0].lower()
    return float(found[1]) * _UNITS[unit]


def _refuse_fraction(phase: Phase) -> None:
    """Artillery ends with an AssertionError, since it hands whole users to its workers."""
    rate, ramp_to = float(phase.arrival_rate or 0), float(phase.ramp_to or 0)
    most = float(phase.max_vusers or 0)
    if not ramp_to and phase.arrivals and rate != int(rate):
        count = math.ceil(rate * phase.seconds)
        raise ValueError(
            f"it takes whole numbers as arrivalRate, not {rate:g}; arrivalCount: {count} with the "
            "same duration does that"
        )
    if (rate or ramp_to) and phase.arrivals and most != int(most):
        raise ValueError(f"it takes whole numbers as maxVusers, not {most:g}")


def _dicts(value: object) -> Sequence[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
