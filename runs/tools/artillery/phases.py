"""The phases of an Artillery script (https://www.artillery.io/docs/reference/test-script)."""

import math
import re
from collections.abc import Iterable

import msgspec

_SPAN = re.compile(
    r"(\d*\.?\d+) *(ms|msecs?|milliseconds?|s|secs?|seconds?"
    r"|m|mins?|minutes?|h|hrs?|hours?|d|days?)?",
    re.IGNORECASE,
)
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_LONGEST_S = 1e9
_AMOUNTS = ("arrivalRate", "arrivalCount", "rampTo", "maxVusers")
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


def refuse_senseless(phases: Iterable[Phase]) -> None:
    """Raises ValueError, which says what of which phase Artillery could not run."""
    for number, phase in enumerate(phases, 1):
        try:
            _refuse_wrong_amounts(phase)
            _ = phase.seconds
            _refuse_fraction(phase)
        except ValueError as error:
            name = f" (“{phase.name}”)" if phase.name else ""
            raise ValueError(f"in phase {number}{name}, {error}") from None


def parse_span(value: Number | None) -> float:
    """Seconds of a duration as Artillery writes it: 60, "60", "10m", "1.5 hours"."""
    if value is None:
        raise ValueError("there is neither a duration nor a pause")
    found = _SPAN.fullmatch(str(value).strip())
    seconds = float(found[1]) * _UNITS[_unit(found[2])] if found else 0.0
    if not found or not 0 < seconds < _LONGEST_S:
        raise ValueError(f"“{value}” is no duration, which is 60 (seconds) or “10m”, say")
    if not found[2] and seconds != int(seconds):
        raise ValueError(f"“{value}” has a fraction and no unit: write “{value}s”")
    return seconds


def _unit(word: str | None) -> str:
    word = (word or "s").lower()
    return "ms" if word.startswith(("ms", "mil")) else word[0]


def _refuse_wrong_amounts(phase: Phase) -> None:
    for name, value in msgspec.to_builtins(phase).items():
        if name in _AMOUNTS and value is not None and not _is_amount(value):
            raise ValueError(f"{name} is “{value}”, but it takes a number from 0 up, such as 5")


def _is_amount(value: Number) -> bool:
    try:
        return 0 <= float(value) < math.inf
    except ValueError:
        return False


def _refuse_fraction(phase: Phase) -> None:
    """Artillery ends with an AssertionError, since it hands whole users to its workers."""
    rate, ramp_to = float(phase.arrival_rate or 0), float(phase.ramp_to or 0)
    most = float(phase.max_vusers or 0)
    if not ramp_to and phase.arrivals and rate != int(rate):
        count = math.ceil(rate * phase.seconds)
        raise ValueError(
            f"Artillery takes whole numbers as arrivalRate, not {rate:g}; arrivalCount: {count} "
            "with the same duration does that"
        )
    if (rate or ramp_to) and phase.arrivals and most != int(most):
        raise ValueError(f"Artillery takes whole numbers as maxVusers, not {most:g}")
