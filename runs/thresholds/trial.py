"""One threshold from the first second of a run to its last: when it is broken, how near it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from runs.samples import Tally
from runs.thresholds import measuring
from runs.thresholds.language import Threshold
from runs.thresholds.measuring import Measured
from runs.thresholds.spans import Moment, State, span_of
from runs.words import span as say_span

NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class Breach:
    """A threshold that got true: `since` is the first second it is about, `at` the last of them."""

    threshold: Threshold
    at: int
    since: int
    measured: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Heat:
    """How near a threshold is to being true: `share` is 1 where it is; `said` has the words.

    Without a timeframe it is about the run so far, and only the end decides.
    """

    text: str
    measured: str
    said: str
    share: float
    is_broken: bool


class Trial:
    """Judging begins with the first second in which something of the label was measured.

    A threshold that counts too few leaves out that second and the newest one: they may be partial.
    """

    def __init__(self, threshold: Threshold) -> None:
        self.threshold = threshold
        self.first: Breach | None = None
        self.last: Breach | None = None
        self.breaches = 0
        self.seen = 0
        self._span = span_of(threshold)
        self._has_begun = self._has_measured = False
        self._newest: Moment | None = None
        self._state: State | None = None
        self._worst: State | None = None

    def see(self, at: int, measured: Measured) -> Breach | None:
        """The breach that begins with this second. Seconds come in order and without gaps."""
        moment = self._moment(at, measured)
        if moment is None:
            return None
        was_broken, state = self._is_broken, self._span.see(moment)
        self._state = state
        self.seen += 1
        self._has_measured = self._has_measured or state.value is not None
        if state.value is not None and (
            self._worst is None or self._heat_of(state) > self._heat_of(self._worst)
        ):
            self._worst = state
        if not self._is_broken or was_broken:
            return None
        self.last = _breach(self.threshold, moment.at, state)
        self.first = self.first or self.last
        self.breaches += 1
        return self.last

    @property
    def is_judged(self) -> bool:
        """Whether there was one full span, and something to judge."""
        return self._has_measured and self.seen >= self.threshold.seconds

    @property
    def worst(self) -> str:
        """The nearest that it came to its limit."""
        worst, threshold = self._worst, self.threshold
        if worst is None or worst.value is None:
            return NO_DATA
        if threshold.when == "for":
            return f"{worst.length} of {threshold.seconds} s"
        return measuring.say_apart(threshold, worst.value)

    def heat(self) -> Heat:
        state, threshold = self._state, self.threshold
        if state is None:
            return Heat(threshold.text, NO_DATA, NO_DATA, 0.0, False)
        measured = NO_DATA
        if state.value is not None:
            measured = measuring.say_apart(threshold, state.value)
        said = f"{measured}, limit {measuring.say(threshold, threshold.limit)}"
        if state.length < threshold.seconds or threshold.when == "for":
            said = f"{min(state.length, threshold.seconds)} of {threshold.seconds} s"
        share = round(self._heat_of(state), 3)
        return Heat(threshold.text, measured, said, share, state.is_crossed)

    def kept(self) -> dict[str, Any] | None:
        """What is kept of its breaches: how many there were, the first and the last."""
        if not (self.first and self.last):
            return None
        threshold = self.threshold
        return {
            "threshold": threshold.text,
            "critical": threshold.is_critical,
            "feature": threshold.feature,
            "stops": threshold.stops,
            "limit": measuring.say(threshold, threshold.limit),
            "count": self.breaches,
            "is_on": self._is_broken,
            "first": _as_json(self.first),
            "last": _as_json(self.last),
        }

    @property
    def _is_broken(self) -> bool:
        return bool(self.threshold.when and self._state and self._state.is_crossed)

    def _moment(self, at: int, measured: Measured) -> Moment | None:
        """The second to judge now, if there is one."""
        found = measured.find(self.threshold) or Tally()
        moment = Moment(at, found, measured.users)
        if not self._has_begun:
            is_users = self.threshold.subject == "users"
            self._has_begun = measured.users is not None if is_users else found.count > 0
            if not self._has_begun or self.threshold.needs_full_seconds:
                return None
        if not self.threshold.needs_full_seconds:
            return moment
        due, self._newest = self._newest, moment
        return due

    def _heat_of(self, state: State) -> float:
        if state.is_crossed:
            return 1.0
        if self.threshold.when == "for":
            return state.length / self.threshold.seconds
        return 0.0 if state.value is None else measuring.nearness(self.threshold, state.value)


def _breach(threshold: Threshold, at: int, state: State) -> Breach:
    measured = measuring.say_apart(threshold, state.value or 0.0)
    name = measuring.name(threshold)
    lasted = say_span(timedelta(seconds=threshold.seconds))
    if threshold.when == "for":
        side = measuring.side(threshold)
        sentence = f"{name} stayed {side} for {lasted}, at last {measured}"
    else:
        verb, limit = measuring.verb(threshold), measuring.say(threshold, threshold.limit)
        sentence = f"{name} {verb} {measured} over {lasted}, limit {limit}"
    return Breach(threshold, at, state.since, measured, sentence)


def _as_json(breach: Breach) -> dict[str, str]:
    return {
        "since": datetime.fromtimestamp(breach.since, UTC).isoformat(),
        "at": datetime.fromtimestamp(breach.at, UTC).isoformat(),
        "measured": breach.measured,
        "sentence": breach.sentence,
    }
