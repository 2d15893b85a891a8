"""An entry as a person reads it: a sentence, and its facts line by line. Whoever records says more.

Known are the words that this product records; what is new is told plainly by its labels.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# By the fact that tells what was done.
_DONE = {
    "lifted": "lifted",
    "accepted": "accepted the content of",
    "removed": "removed",
    "saved": "saved",
    "deleted": "deleted from",
    "changed": "changed",
    "added": "added",
}
MOST_LINES = 500


def sentence(*, actor: str, action: str, subject: str, data: Mapping[str, Any]) -> str:
    """`mara lifted hold 3.`, `Run 12 of grace was refused: Saturday wedding day protection.`"""
    what = subject[:1].upper() + subject[1:]
    if isinstance(verdict := data.get("verdict"), Mapping):
        done = "was let in" if verdict.get("safe") else "was refused"
        return f"{what} of {actor} {done}: {verdict.get('reason', 'without a reason')}."
    if action == "calendar":
        done = next((said for fact, said in _DONE.items() if data.get(fact)), "wrote")
        return f"{actor} {done} {subject}{_stopped(data)}."
    if action == "revoke":
        return f"{actor} revoked {subject}: {data.get('why', 'without a reason')}."
    return f"{what}: {action}, by {actor}{_stopped(data)}."


def lines(data: Any) -> list[tuple[str, str]]:
    """(`verdict › blockers › 1 › rule`, value) for every fact, the first of very many."""
    found: list[tuple[str, str]] = []
    for line in _walk((), data):
        if len(found) == MOST_LINES:
            return [*found, ("…", "more than can be shown; all of it is in the JSON below")]
        found.append(line)
    return found


def _stopped(data: Mapping[str, Any]) -> str:
    stopped = data.get("stopped")
    count = len(stopped) if isinstance(stopped, list) else 0
    if not count:
        return ""
    return ", which stopped 1 test" if count == 1 else f", which stopped {count} tests"


def _walk(place: tuple[str, ...], value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _walk((*place, str(name).replace("_", " ")), inner)
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for number, inner in enumerate(value, 1):
            yield from _walk((*place, str(number)), inner)
    else:
        yield " › ".join(place), _said(value)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value in (None, "", {}) else str(value)
