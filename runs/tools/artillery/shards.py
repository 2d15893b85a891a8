"""A part of an Artillery test: the arrivals of every phase divided, as Artillery itself does it.

https://www.artillery.io/docs/reference/cli/run (--overrides replaces the list of phases whole)
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from runs.tools import ToolProblem
from runs.tools.artillery.phases import Phase

_ALMOST_NOTHING = 1e-9  # Artillery hands out a ramp to 0 in whole users, as if it were no ramp


class Part(NamedTuple):
    """This one (from 0) of so many."""

    number: int
    of: int

    def share(self, whole: int) -> int:
        """In whole numbers that sum to the whole: the first carry what is left over."""
        return whole // self.of + (self.number < whole % self.of)


def refuse_undivided(phases: Sequence[Phase], of: int) -> None:
    """Raises ToolProblem ("cannot_divide") where a part would be nothing, or without its limit."""
    for phase in phases:
        most = phase.max_vusers
        if most is not None and phase.arrivals and int(float(most)) < min(of, _most(phase)):
            raise _problem(f"A phase of the script has maxVusers: {most}", of)
    if all(_most(phase) < of for phase in phases):
        raise _problem("The phases of the script have too few arrivals", of)


def divide(phases: Sequence[Phase], part: Part) -> list[dict[str, Any]]:
    """The phases of one part: their arrivals and their maxVusers add up to those of the whole.

    Where fewer arrive than there are parts, the last ones pause. “wedsyncPart” of a ramp says to
    our plugin which arrivals of each second are this one's.
    """
    return [_divide(phase, part) for phase in phases]


def _divide(phase: Phase, part: Part) -> dict[str, Any]:
    words = {name: word for name, word in msgspec.to_builtins(phase).items() if word is not None}
    if not phase.arrivals:
        return words
    if phase.arrival_count is not None:
        for rate in {"arrivalRate", "rampTo"} & words.keys():
            del words[rate]  # with a rate, each of Artillery's workers would do the whole count
    busy = Part(part.number, min(part.of, _most(phase)))
    if busy.number >= busy.of:
        return {"pause": phase.duration}
    words |= _share_ramp(phase, busy) if phase.is_ramp else _share_arrivals(phase, busy)
    if phase.max_vusers is not None:
        words["maxVusers"] = busy.share(math.ceil(float(phase.max_vusers)))
    return words


def _share_ramp(phase: Phase, part: Part) -> dict[str, Any]:
    """By its rates, which may have fractions."""
    return {
        "arrivalRate": float(phase.arrival_rate or 0) / part.of,
        "rampTo": float(phase.ramp_to or 0) / part.of or _ALMOST_NOTHING,
        "wedsyncPart": part,
    }


def _share_arrivals(phase: Phase, part: Part) -> dict[str, Any]:
    if phase.arrival_count is None:
        return {"arrivalRate": part.share(int(float(phase.arrival_rate or 0)))}
    return {"arrivalCount": part.share(math.floor(float(phase.arrival_count)))}


def _most(phase: Phase) -> int:
    """How many arrive in all, or in the second with the most of them, rounded as Artillery does."""
    if not phase.arrivals:
        return 0
    if phase.arrival_count is not None:
        return math.floor(float(phase.arrival_count))
    rate, ramp_to = float(phase.arrival_rate or 0), float(phase.ramp_to or 0)
    if phase.is_ramp and phase.seconds == 1:
        return math.floor((rate + ramp_to) / 2 + 0.5)
    return math.floor(max(rate, ramp_to) + 0.5)


def _problem(what: str, of: int) -> ToolProblem:
    sentence = f"{what}, which cannot be divided among {of} workers. Ask for fewer shards."
    return ToolProblem(sentence, code="cannot_divide")
