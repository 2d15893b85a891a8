"""What Artillery's resolved script says of its load (https://www.artillery.io/docs/reference)."""

import math
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from runs.tools import ToolProblem
from runs.tools.artillery.phases import Phase, refuse_senseless

_LEGACY_CHECKS = ("min", "max", "median", "p95", "p99")


class Scenario(msgspec.Struct):
    engine: str
    name: str = ""
    quiet: bool = False
    """It makes no request that can be heard: another engine's, or only functions."""
    unknown: list[str] = []
    """Steps that its engine does not know, by what they are called."""
    idle: bool = False
    """It has no step but these and pauses."""

    @property
    def label(self) -> str:
        return self.name or "without a name"


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
        """As they are written: whether there is such a host, whoever looks for it says."""
        found = map(_host, (self.target, *self.urls))
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
            f"The scenario “{scenario.label}” makes no request that can be "
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
        refuse_senseless(plan.phases)
    except ValueError as error:
        sentence = f"Artillery's phases make no sense: {error}."
        raise ToolProblem(sentence, code="script_invalid") from None
    return plan


def _host(url: str) -> str:
    try:
        place = urlsplit(url).netloc
    except ValueError:
        place = url.partition("://")[2]
    return place.rpartition("@")[2]


def _dicts(value: object) -> Sequence[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
