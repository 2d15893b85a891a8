"""The one word over a comparison. Figures alone make no run better: it must have passed too."""

from collections.abc import Mapping, Sequence

from runs.past.comparing.differences import Difference, Judgement
from runs.past.comparing.sides import ENDED, Side


def judge(after: Side, totals: Sequence[Difference]) -> tuple[bool | None, str]:
    """Is the second run worse, and the headline that says so. None: nobody can tell."""
    found = {one.is_worse for one in totals} - {None}
    if True in found:
        return True, "Worse"
    if any(one.figure == "p50" and one.judgement == "too few requests" for one in totals):
        return None, "Too few requests to compare"  # not even half of the story
    if not found:
        return None, _undecided({one.figure: one.judgement for one in totals})
    if after.state == "passed":
        return False, "Better"
    return None, f"Not better: run {after.id} {ENDED.get(after.state, 'is not over')}"


def _undecided(judgements: Mapping[str, Judgement]) -> str:
    if judgements.get("p50") == "not comparable":
        return "Hardly comparable"
    is_judged = "within noise" in judgements.values()
    return "No clear difference" if is_judged else "Nothing to compare"
