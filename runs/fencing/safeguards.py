"""What holds a run in, and what does not, in sentences that stay with the run."""

from collections.abc import Iterable

from runs.fencing.fence import Fence
from runs.fencing.networks import Network
from runs.host import child
from runs.host.identity import Identity
from runs.models import Target
from runs.targets import Load
from runs.tools import Tool
from runs.words import count


def sentences(
    tool: Tool,
    who: Identity,
    around: Fence | None,
    networks: Iterable[Network],
    allowed: Iterable[Target],
    load: Load,
) -> tuple[str, ...]:
    caps = [sentence for one in allowed for sentence in _caps(one, load)]
    return (_network(tool, who, around, networks), *caps, _user(who), _limits())


def _network(tool: Tool, who: Identity, around: Fence | None, networks: Iterable[Network]) -> str:
    if around is not None:
        ways = ", ".join(dict.fromkeys(f"{host}:{port}" for host, port in _ways(around)))
        if who.why:
            return (
                f"Held by the kernel, but not against root: {tool.name} has a network of its own, "
                f"from which TCP leads to {ways}. It runs as root here, and a script that runs as "
                "root could leave that network. Run the worker as another user, or install the "
                "tool and its interpreter where the user nobody may read them; then restart it."
            )
        return (
            f"Enforced by the kernel: {tool.name} has a network of its own, from which TCP leads "
            f"to {ways} and nowhere else, whatever the script does."
        )
    where = ", ".join(map(str, networks))
    if tool.is_steered_from_outside:
        return (
            f"Enforced by {tool.name}, on the resolved address: connections to {where}, at any "
            "port, and to nothing else. While its script is loaded it has no network at all, "
            "where the kernel allows that."
        )
    return (
        f"Not enforced by the kernel: it lets us make no network for {tool.name} alone. "
        f"Connections are held to {where} inside the tool, and a script that means to can go "
        "around that."
    )


def _ways(around: Fence) -> Iterable[tuple[str, int]]:
    return (door.outside for door in around.doors)


def _caps(target: Target, load: Load) -> Iterable[str]:
    if target.max_users is not None:
        held = "by the script's plan" if load.users is not None else "not enforced: no plan says"
        yield f"At most {count(target.max_users)} users at “{target.name}”: {held}."
    if target.max_rate is not None:
        plan = "by the script's plan" if load.rate is not None else "not enforced: no plan says"
        yield (
            f"At most {count(target.max_rate)} a second at “{target.name}”: arrivals {plan}; "
            "requests by measuring, where it is the test's target or a mapped host."
        )


def _user(who: Identity) -> str:
    if who.uid is not None:
        return "The tool runs as the user nobody, in a work directory of its own."
    if who.why:
        return "The tool runs as root: a script may read and change all of this machine."
    return "The tool runs as the worker's own user: what that user may read, a script may read."


def _limits() -> str:
    memory, file = child.memory_limit() >> 20, child.LARGEST_FILE >> 20
    return (
        f"Each process of the tool may use {count(memory)} MiB of memory and write files of "
        f"{count(file)} MiB; all of them end with the declared duration."
    )
