"""Two runs side by side: how far apart, whether that is noise, and what makes it unfair."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from runs.past.comparing.cautions import are_loaded_alike, are_timed_alike, cautions
from runs.past.comparing.differences import RULE, Difference, differences
from runs.past.comparing.headlines import judge
from runs.past.comparing.sides import NOTHING, Measured, Side, shorten
from runs.words import count, figure, span

__all__ = ["Comparison", "Difference", "Measured", "Side", "compare"]

_NAMES = {"rps": "requests/s"}


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """`only_in` is the id of the run that alone has it."""

    name: str
    requests: tuple[int, int]
    differences: tuple[Difference, ...]
    only_in: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second run against the first.

    `is_worse` is True when any figure of the whole run is worse; False when some are better, none
    is worse, and the second run passed with enough requests to show it; else None.
    """

    runs: tuple[dict[str, Any], dict[str, Any]]
    headline: str
    summary: str
    is_worse: bool | None
    cautions: tuple[str, ...]
    totals: tuple[Difference, ...]
    endpoints: tuple[EndpointRow, ...]
    rule: str = RULE

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(before: Side, after: Side) -> Comparison:
    same = {
        "same_kind": are_timed_alike(before, after),
        "same_load": are_loaded_alike(before, after),
    }
    totals = differences(before.totals, after.totals, **same)
    is_worse, headline = judge(after, totals)
    return Comparison(
        runs=(_word(before), _word(after)),
        headline=headline,
        is_worse=is_worse,
        summary=_summary(before, after, totals),
        cautions=cautions(before, after),
        totals=totals,
        endpoints=tuple(_endpoints(before, after, same)),
    )


def _endpoints(before: Side, after: Side, same: Mapping[str, bool]) -> Iterator[EndpointRow]:
    """Those of both first, the busiest first; a name is without the address of its run."""
    if before.endpoints is None or after.endpoints is None:
        return
    one, other = (_by_short_name(side) for side in (before, after))
    for name in sorted(one.keys() | other.keys(), key=lambda name: _place(name, one, other)):
        found, again = one.get(name, NOTHING), other.get(name, NOTHING)
        only_in = {found is NOTHING: after.id, again is NOTHING: before.id}
        yield EndpointRow(
            name=name,
            requests=(found.requests, again.requests),
            differences=differences(found, again, **same),
            only_in=only_in.get(True),
        )


def _place(
    name: str, one: Mapping[str, Measured], other: Mapping[str, Measured]
) -> tuple[bool, int, str]:
    found = [side[name].requests for side in (one, other) if name in side]
    return len(found) < 2, -sum(found), name


def _by_short_name(side: Side) -> dict[str, Measured]:
    return {shorten(name, side.target): found for name, found in (side.endpoints or {}).items()}


def _summary(before: Side, after: Side, totals: tuple[Difference, ...]) -> str:
    calm, few, apart = (
        ", ".join(
            _NAMES.get(one.figure, one.figure) for one in totals if one.judgement == judgement
        )
        for judgement in ("within noise", "too few requests", "not comparable")
    )
    parts = [", ".join(_say(one) for one in totals if one.is_worse is not None)]
    if not parts[0] and calm:
        of = f" of {calm}" if few or apart else ""
        parts = [f"no difference{of} beyond noise"]
    parts += [f"too few requests to compare {few}" if few else ""]
    parts += [f"{apart} not comparable" if apart else ""]
    what = "; ".join(filter(None, parts)) or "there is nothing to compare"
    return f"Run {after.id} against run {before.id}: {what}."


def _say(one: Difference) -> str:
    if one.figure == "errors":
        return f"{figure(abs(one.absolute or 0))} points {one.judgement}"
    size = "from nothing" if one.percent is None else f"{figure(abs(one.percent))} %"
    if one.figure == "rps":
        return f"{size} {one.judgement} requests/s"
    return f"{one.figure} {size} {one.judgement}"


def _word(side: Side) -> dict[str, Any]:
    told = ("id", "name", "state", "tool", "tool_version", "latency_kind", "target", "plan")
    return {name: getattr(side, name) for name in told} | {
        "started_at": side.started_at,
        "users": side.users,
        "requests": side.totals.requests,
        "said": f"{count(side.totals.requests)} requests "
        f"within {span(timedelta(seconds=side.totals.seconds))}",
        "page": f"/runs/{side.id}/",
    }
