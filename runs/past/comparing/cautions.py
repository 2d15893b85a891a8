"""What makes two runs hard to compare, as sentences for those who read the comparison."""

from collections.abc import Iterator
from datetime import timedelta

from runs.past.comparing.differences import least_answers
from runs.past.comparing.sides import ENDED, Side
from runs.samples.percentiles import QUANTILES
from runs.words import count, span

ENDED_WELL = {"passed", "failed"}
UNEVEN = 1.2


def cautions(before: Side, after: Side) -> tuple[str, ...]:
    """The gravest first."""
    return (
        *_of_the_tools(before, after),
        *_of_the_request(before, after),
        *_of_the_load(before, after),
        *_of_the_end(before),
        *_of_the_end(after),
        *_of_the_endpoints(before, after),
    )


def are_timed_alike(before: Side, after: Side) -> bool:
    return (before.tool, before.latency_kind) == (after.tool, after.latency_kind)


def are_loaded_alike(before: Side, after: Side) -> bool:
    """Else the one that made more requests was merely asked to."""
    one, other = ((side.tool, side.script, side.users, side.inputs) for side in (before, after))
    return one == other


def _of_the_tools(before: Side, after: Side) -> Iterator[str]:
    if not are_timed_alike(before, after):
        one, other = (side.latency_kind or f"{side.tool}, unknown" for side in (before, after))
        yield (
            "The tools time different things, so response times are shown and not judged. "
            f"Run {before.id}: {one}. Run {after.id}: {other}."
        )
    if before.tool != after.tool:
        yield (
            f"The tools differ, {before.tool} {before.tool_version} and {after.tool} "
            f"{after.tool_version}: their scripts make different requests, so the requests a "
            "second are shown and not judged."
        )
    elif before.tool_version != after.tool_version:
        tool, old, new = before.tool, before.tool_version, after.tool_version
        yield f"The tool changed: {tool} {old} then, {tool} {new} now."


def _of_the_request(before: Side, after: Side) -> Iterator[str]:
    if before.target != after.target:
        yield f"They loaded different addresses: {before.target} and {after.target}."
    if before.plan != after.plan:
        yield "They are not of the same plan."
    if before.script != after.script and before.tool == after.tool:
        yield "The script was changed between them."
    if before.inputs != after.inputs:
        yield "What the script reads (files, variables, hosts) was changed between them."


def _of_the_load(before: Side, after: Side) -> Iterator[str]:
    if before.users != after.users:
        one, other = (_users(side.users) for side in (before, after))
        yield f"The number of users differs: {one} and {other}."
    if before.shards != after.shards:
        yield f"They ran on {before.shards} and {after.shards} workers."
    if before.duration != after.duration:
        yield (
            f"Their declared durations differ: {span(before.duration)} and {span(after.duration)}."
        )
    shorter, longer = sorted(side.totals.seconds for side in (before, after))
    if shorter and longer > UNEVEN * shorter:
        one, other = (span(timedelta(seconds=side.totals.seconds)) for side in (before, after))
        yield f"They were measured within {one} and {other}."


def _users(asked: int | None) -> str:
    return "as many as the script says" if asked is None else count(asked)


def _of_the_end(side: Side) -> Iterator[str]:
    if end := ENDED.get(side.state):
        if side.state not in ENDED_WELL:
            yield f"Run {side.id} {end}: it holds only what was measured until then."
    else:
        yield f"Run {side.id} is not over ({side.state}): its figures still change."
    answers = side.totals.sketch.count
    if 0 < answers < (least := least_answers(QUANTILES["p95_ms"])):
        yield (
            f"Run {side.id} got only {count(answers)} answer{'' if answers == 1 else 's'}; "
            f"a p95 takes {count(least)} to be compared."
        )


def _of_the_endpoints(before: Side, after: Side) -> Iterator[str]:
    for side in (before, after):
        if side.endpoints is None:
            yield (
                f"Run {side.id} was kept before endpoints had histograms of their own, "
                "so only the whole runs are compared."
            )
