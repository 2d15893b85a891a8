"""Whom load tests may reach and how hard, by the rows of Target.

The networks of WEDSYNC_TARGET_NETWORKS are the outer fence; within it a run needs a Target that
names its host or its address. Where one names the host and another its network, both must agree.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from runs.fencing import places
from runs.fencing.networks import Address, Network, holds, read_address, read_networks
from runs.fencing.places import Place
from runs.models import Target
from runs.rates import RateCap
from runs.request import Invalid, Request
from runs.words import count, span


@dataclass(frozen=True, slots=True)
class Load:
    """What a test asks of its target; None is what nobody knows."""

    duration: timedelta
    users: int | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A test that may be: its site (host:port), the Target that allows it, how many at a time."""

    site: str
    target_id: int
    concurrency: int


def admit(request: Request) -> Admitted:
    """Judge a request by its words, and whatever its hosts are mapped to. Raises Invalid."""
    rows, networks = tuple(Target.objects.all()), outer_networks()
    place = places.locate(request.target, request.hosts)
    allowed = judge_place(place, rows, networks)
    for mapped in places.mapped(request.hosts).values():
        judge_place(mapped, rows, networks)
    judge_load(allowed, Load(request.duration, request.users))
    return Admitted(place.site, allowed[0].pk, min(one.concurrency for one in allowed))


def rate_cap(request: Request) -> RateCap | None:
    """What a test is held to while it runs: the tightest cap of those that allow its target and
    its mapped hosts, for all its requests: to which of them each went, no tool tells."""
    rows = tuple(Target.objects.all())
    target, mapped = places.locate(request.target, request.hosts), places.mapped(request.hosts)
    caps = [
        (one.max_rate, one.name)
        for place in (target, *mapped.values())
        for address in place.addresses
        for one in _closest(place.host, address, rows)
        if one.max_rate is not None
    ]
    if not caps:
        return None
    most, name = min(caps)
    return RateCap(name, most)


def outer_networks() -> tuple[Network, ...]:
    return read_networks(settings.WEDSYNC_TARGET_NETWORKS)


def judge_place(
    place: Place, rows: Sequence[Target], networks: tuple[Network, ...]
) -> tuple[Target, ...]:
    """The targets that allow every address of a place. Raises Invalid."""
    found: list[Target] = []
    for address in place.addresses:
        subject = f"Load tests may not reach {place.host}"
        if place.host != str(address):
            subject += f", which is {address} here"
        if not holds(networks, address):
            raise Invalid(
                "target",
                f"{subject}; allowed are {', '.join(map(str, networks))}. "
                "Ask whoever runs this installation to add its network.",
            )
        closest = _closest(place.host, address, rows)
        if not closest:
            raise Invalid(
                "target",
                f"{subject}: no target names it. Ask ops to add one in the admin, under Targets.",
            )
        if shut := [one.name for one in closest if not one.is_open]:
            raise Invalid(
                "target",
                f"{subject}: the target “{shut[0]}” is closed. Ask ops why, and to open it.",
            )
        found += closest
    return tuple(dict.fromkeys(found))


def _closest(host: str, address: Address, rows: Iterable[Target]) -> list[Target]:
    """The one that names the host most closely, then the one that names its address so."""
    found = []
    ranked = [(_closeness(row, host, address), row) for row in rows]
    for way in (0, 1):
        nearest = max((ranks[way] for ranks, _ in ranked), default=0)
        found += [row for ranks, row in ranked if nearest and ranks[way] == nearest]
    return list(dict.fromkeys(found))


def _closeness(target: Target, host: str, address: Address) -> tuple[int, int]:
    """How closely it names the host, and how closely the address; 0 is not at all."""
    patterns = tuple(map(str, target.hosts))
    by_name = max((_fits_name(pattern, host) for pattern in patterns), default=0)
    by_network = max((_fits_address(pattern, address) for pattern in patterns), default=0)
    return by_name, by_network


def judge_load(allowed: Iterable[Target], load: Load) -> None:
    """Raises Invalid for the first cap that a test is over; what nobody knows is under it."""
    for one in allowed:
        if load.duration > one.max_duration:
            most, asked = span(one.max_duration), span(load.duration)
            raise _over(one, "duration", f"at most {most}, and this test may take {asked}")
        if one.max_users is not None and load.users is not None and load.users > one.max_users:
            most, asked = count(one.max_users), count(load.users)
            raise _over(one, "users", f"at most {most} users, and this test brings {asked}")
        if one.max_rate is not None and load.rate is not None and load.rate > one.max_rate:
            most, asked = count(one.max_rate), f"{load.rate:g}"
            raise _over(one, "script", f"at most {most} arrivals a second, and this plans {asked}")


def _over(target: Target, field: str, what: str) -> Invalid:
    return Invalid(
        field, f"The target “{target.name}” allows {what}. Ask for less, or ask ops to raise it."
    )


def check_pattern(pattern: object) -> str:
    """A host pattern in its usual form. Raises ValueError with a sentence."""
    text = pattern.strip().lower() if isinstance(pattern, str) else ""
    if "/" in text:
        try:
            return str(ipaddress.ip_network(text))
        except ValueError as error:
            raise ValueError(f"{text} is no network: {error}. Write 10.1.0.0/16.") from None
    if address := read_address(text):
        return str(address)
    name = text.removeprefix("*.")
    if not name or "*" in name or ":" in name or not places.is_name(name):
        raise ValueError(
            f"{str(pattern)!r} is no host: write a name (shop.example), all names under one "
            "(*.staging.example), an address (10.1.0.5) or a network (10.1.0.0/16); no port."
        )
    return text


def _fits_name(pattern: str, host: str) -> int:
    if pattern == host:
        return 10_000
    if pattern.startswith("*.") and host.endswith(pattern[1:]) and not read_address(host):
        return len(pattern)
    return 0


def _fits_address(pattern: str, address: Address) -> int:
    network = _network(pattern)
    return network.prefixlen + 1 if network and address in network else 0


def _network(pattern: str) -> Network | None:
    try:
        return ipaddress.ip_network(pattern)
    except ValueError:
        return None
