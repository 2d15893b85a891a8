"""A part of an Artillery test: the arrivals of every phase divided, as Artillery itself does it.

https://www.artillery.io/docs/reference/cli/run (--overrides replaces the list of phases whole)
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from runs.shards.shares import Part
from runs.tools import ToolProblem
from runs.tools.artillery_plan import Phase


def refuse_undivided(phases: Sequence[Phase], of: int) -> None:
    """Raises ToolProblem ("cannot_divide") where a part would be nothing, or without its limit."""
    for phase in phases:
        most = phase.max_vusers
        if most is not None and phase.arrivals and int(float(most)) < of:
            raise _problem(f"A phase of the script has maxVusers: {most}", of)
    last = divide(phases, Part(of - 1, of))
    if all("pause" in phase for phase in last):
        raise _problem("The phases of the script have too few arrivals", of)


def divide(phases: Sequence[Phase], part: Part) -> list[dict[str, Any]]:
    """The phases of one part: their arrivals and their maxVusers add up to those of the whole."""
    return [_divide(phase, part) for phase in phases]


def _divide(phase: Phase, part: Part) -> dict[str, Any]:
    words = {name: word for name, word in msgspec.to_builtins(phase).items() if word is not None}
    if not phase.arrivals:
        return words
    if float(phase.ramp_to or 0):  # a ramp may have fractions
        words["arrivalRate"] = float(phase.arrival_rate or 0) / part.of
        words["rampTo"] = float(phase.ramp_to or 0) / part.of
    else:
        kind = "arrivalRate" if float(phase.arrival_rate or 0) else "arrivalCount"
        words[kind] = part.share(int(float(words[kind])))
        if not words[kind]:
            return {"pause": phase.duration}
    if phase.max_vusers is not None:
        words["maxVusers"] = part.share(int(float(phase.max_vusers)))
    return words


def _problem(what: str, of: int) -> ToolProblem:
    sentence = f"{what}, which cannot be divided among {of} workers. Ask for fewer shards."
    return ToolProblem(sentence, code="cannot_divide")
