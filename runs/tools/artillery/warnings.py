"""What a person should know of an Artillery script before it runs."""

import re
from collections.abc import Iterator

from runs.tools import Finished
from runs.tools.artillery.installed import NODE_AT_LEAST, VERSION
from runs.tools.artillery.plans import Plan

_MOST_NAMES = 5
_OWN = re.compile(r"^WARNING(?::| -) *(\S.*?)\.?$", re.MULTILINE)


def of(plan: Plan, said: Finished, shards: int) -> tuple[str, ...]:
    """From the plan, and from what Artillery said while it made it."""
    words = f"{said.stdout}\n{said.stderr}"
    own = [f"Artillery warns: {line[:300]}." for line in dict.fromkeys(_OWN.findall(words))]
    steps = _of_steps(plan)
    return (
        *_of_load(plan),
        *steps,
        *plan.unheard,
        *_of_shards(plan, shards),
        *own,
        *_of_versions(plan),
    )


def _of_load(plan: Plan) -> Iterator[str]:
    if plan.peak_users is None:
        yield (
            "A phase of the script sets no maxVusers: users pile up without limit while the site "
            "is slow."
        )
    if plan.ensure and "ensure" not in plan.plugins:
        yield (
            "The script has config.ensure but not the plugin: without “plugins: {ensure: {}}” "
            "Artillery judges none of it."
        )


def _of_steps(plan: Plan) -> Iterator[str]:
    for scenario in plan.scenarios:
        if not scenario.unknown:
            continue
        names = ", ".join(f"“{name}”" for name in scenario.unknown[:_MOST_NAMES])
        idle = "; there is no other that asks the site for anything" * scenario.idle
        yield (
            f"The scenario “{scenario.label}” has steps that Artillery's "
            f"{scenario.engine} engine does not know: {names}. Look how they are spelt{idle}."
        )


def _of_shards(plan: Plan, shards: int) -> Iterator[str]:
    if shards > 1 and plan.hooks:
        hooks = " and ".join(f"“{hook}”" for hook in plan.hooks)
        yield (
            f"Each of the {shards} shards runs the script's {hooks} once for itself: what is made "
            f"there is made {shards} times."
        )


def _of_versions(plan: Plan) -> Iterator[str]:
    if plan.artillery != VERSION:
        yield f"This is Artillery {plan.artillery}; WedSync is tested with {VERSION}."
    if _version(plan.node) < NODE_AT_LEAST:
        yield f"Artillery asks for Node 22.18 or newer; this is {plan.node}."


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])
