"""Whom load tests may reach and how hard: the rows of Target, read as words and judged.

The networks of WEDSYNC_TARGET_NETWORKS are the outer fence; within it a run needs a Target that
names its host or its address. Where one names the host and another its network, both must agree.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.conf import settings

from runs.fencing import places
from runs.fencing.networks import Address, Network, holds, read_address, read_networks
from runs.fencing.places import HostsRefused, Place, TargetRefused
from runs.models import Target
from runs.rates import RateCap
from runs.words import count, span

__all__ = ["Admitted", "CapExceeded", "HostsRefused", "TargetRefused", "admit"]


class CapExceeded(ValueError):
    """The test is more than its target allows; `field` is the word of the request that is."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class Allowed:
    """A Target as a word. Patterns are names ("*.staging.example"), addresses or networks."""

    id: int
    name: str
    patterns: tuple[str, ...]
    max_users: int | None = None
    max_rate: int | None = None
    max_duration: timedelta = timedelta(hours=24)
    concurrency: int = 1
    is_open: bool = True

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(network for one in self.patterns if (network := _network(one)))

    def closeness(self, host: str, address: Address) -> tuple[int, int]:
        """How closely it names the host, and how closely the address; 0 is not at all."""
        by_name = max((_fits_name(pattern, host) for pattern in self.patterns), default=0)
        by_network = max((_fits_address(pattern, address) for pattern in self.patterns), default=0)
        return by_name, by_network


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


class Asking(Protocol):
    """A request or a run."""

    @property
    def target(self) -> str: ...

    @property
    def duration(self) -> timedelta: ...

    @property
    def users(self) -> int | None: ...

    @property
    def hosts(self) -> Mapping[str, str]: ...


def admit(asking: Asking) -> Admitted:
    """Judge a request by its words. Raises TargetRefused, HostsRefused or CapExceeded."""
    rows, networks = rows_as_words(), outer_networks()
    place = places.locate(asking.target, asking.hosts)
    allowed = judge_place(place, rows, networks)
    judge_hosts(asking.hosts, rows, networks)
    judge_load(allowed, Load(asking.duration, asking.users))
    return Admitted(place.site, allowed[0].id, min(one.concurrency for one in allowed))


def rate_cap(asking: Asking) -> RateCap | None:
    """What a test is held to while it runs: the tightest cap of those that allow its target and
    its mapped hosts, for all its requests: to which of them each went, no tool tells."""
    rows = rows_as_words()
    caps = [
        (one.max_rate, one.name)
        for place in (places.locate(asking.target, asking.hosts), *_mapped(asking.hosts))
        for address in place.addresses
        for one in _closest(place.host, address, rows)
        if one.max_rate is not None
    ]
    if not caps:
        return None
    most, name = min(caps)
    return RateCap(name, most)


def rows_as_words() -> tuple[Allowed, ...]:
    return tuple(
        Allowed(
            row.pk,
            row.name,
            tuple(map(str, row.hosts)),
            row.max_users,
            row.max_rate,
            row.max_duration,
            row.concurrency,
            row.is_open,
        )
        for row in Target.objects.all()
    )


def outer_networks() -> tuple[Network, ...]:
    return read_networks(settings.WEDSYNC_TARGET_NETWORKS)


def judge_hosts(
    hosts: Mapping[str, str], rows: Sequence[Allowed], networks: tuple[Network, ...]
) -> None:
    """Whatever a name is mapped to must be allowed as well."""
    for place in _mapped(hosts):
        judge_place(place, rows, networks)


def _mapped(hosts: Mapping[str, str]) -> Iterator[Place]:
    for host, port in places.hosts_of(hosts).values():
        yield Place(host, port or 0, places.resolve(host))


def judge_place(
    place: Place, rows: Sequence[Allowed], networks: tuple[Network, ...]
) -> tuple[Allowed, ...]:
    """The targets that allow every address of a place. Raises TargetRefused with a sentence."""
    found: dict[int, Allowed] = {}
    for address in place.addresses:
        subject = f"Load tests may not reach {place.host}"
        if place.host != str(address):
            subject += f", which is {address} here"
        if not holds(networks, address):
            raise TargetRefused(
                f"{subject}; allowed are {', '.join(map(str, networks))}. "
                "Ask whoever runs this installation to add its network."
            )
        closest = _closest(place.host, address, rows)
        if not closest:
            raise TargetRefused(
                f"{subject}: no target names it. Ask ops to add one in the admin, under Targets."
            )
        if shut := [one.name for one in closest if not one.is_open]:
            raise TargetRefused(
                f"{subject}: the target “{shut[0]}” is closed. Ask ops why, and to open it."
            )
        found |= {one.id: one for one in closest}
    return tuple(found.values())


def _closest(host: str, address: Address, rows: Iterable[Allowed]) -> list[Allowed]:
    """The one that names the host most closely, then the one that names its address so."""
    found = []
    ranked = [(row.closeness(host, address), row) for row in rows]
    for way in (0, 1):
        nearest = max((ranks[way] for ranks, _ in ranked), default=0)
        found += [row for ranks, row in ranked if nearest and ranks[way] == nearest]
    return list({row.id: row for row in found}.values())


def judge_load(allowed: Iterable[Allowed], load: Load) -> None:
    """Raises CapExceeded for the first cap that a test is over; what nobody knows is under it."""
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


def _over(target: Allowed, field: str, what: str) -> CapExceeded:
    return CapExceeded(
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
