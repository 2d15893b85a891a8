"""Passed or failed, and why: decided from what we measured; the tool's exit code is one input."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from runs.samples import Totals
from runs.thresholds import Check
from runs.tools import Ending, OwnVerdict
from runs.words import count, figure

_NOTHING = (
    "No request was answered, so nothing was proven: the script asks for nothing, or the target "
    "takes connections and never answers."
)


@dataclass(frozen=True)
class Stop:
    """Why we ended the tool before it ended itself; `outcome` is aborted, errored, failed
    or, where the calendar forbade the first request, refused."""

    reason: str
    outcome: str = "aborted"


def fault_of_ours(seen: object) -> Stop:
    """Whose traceback stands in the log beside `seen`."""
    return Stop(f"A fault of ours, not the script's: see {seen} in the log.", "errored")


@dataclass(frozen=True)
class Outcome:
    outcome: str
    reason: str
    checks: tuple[Check, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "checks": [
                {key: asdict(check)[key] for key in ("text", "measured", "held")}
                for check in self.checks
            ],
        }


def check_own(tool: str, verdict: OwnVerdict) -> Check:
    """A threshold of the script, as its tool judged it."""
    said = {True: "held", False: "crossed", None: "not judged"}[verdict.held]
    sentence = f"the script's own {verdict.text} was {said}"
    return Check(f"{tool}: {verdict.text}", said, verdict.held, sentence)


def decide(
    *,
    stop: Stop | None,
    ending: Ending,
    totals: Totals,
    checks: tuple[Check, ...],
    own: tuple[Check, ...] = (),
) -> Outcome:
    """No data never passes; a test whose requests all failed never passes.

    `own` are the script's thresholds: one that its tool did not judge fails nobody, as by hand.
    None of them is told as held where no request was made, nor where the tool's end says that one
    was crossed and what it left behind says of none: a script may write there.
    """
    is_denied = ending.kind == "thresholds_crossed" and all(one.held is not False for one in own)
    if totals.requests == 0 or is_denied:
        own = tuple(replace(one, measured="no data", held=None) if one.held else one for one in own)
    broken = [check for check in checks if not check.held]
    broken += [check for check in own if check.held is False]
    checks = (*checks, *own)
    if stop:
        return Outcome(stop.outcome, stop.reason, checks)
    if ending.kind in {"script_error", "tool_error", "stopped"}:
        return Outcome("errored", ending.sentence, checks)
    if totals.requests == 0:
        return Outcome("failed", _NOTHING, checks)
    if totals.errors == totals.requests:
        reason = f"All {count(totals.requests)} requests failed; is the target up?"
        return Outcome("failed", reason, checks)
    if broken:
        return Outcome("failed", "; ".join(check.sentence for check in broken) + ".", checks)
    if ending.kind in {"thresholds_crossed", "marked_failed"}:
        return Outcome("failed", ending.sentence, checks)
    p95 = totals.quantile_ms(0.95)
    latency = f", p95 {figure(round(p95, 3))} ms" if p95 is not None else ""
    failed = f", {count(totals.errors)} of them failed" if totals.errors else ""
    return Outcome("passed", f"{count(totals.requests)} requests{failed}{latency}.", checks)
