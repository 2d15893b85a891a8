"""Networks as load tools need them: read, looked into, and everything that is outside of them."""

import ipaddress
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def read_address(text: str) -> Address | None:
    """The address that a text is, an IPv4 one that is written as IPv6 as what it is; else None."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def holds(networks: Iterable[Network], address: Address) -> bool:
    return any(address in network for network in networks)


def overlap(ones: Iterable[Network], others: Sequence[Network]) -> tuple[Network, ...]:
    """What is in both. Two networks are strangers, or one is within the other."""
    found = []
    for one in ones:
        for other in others:
            if one.version == other.version and one.overlaps(other):
                found.append(max(one, other, key=lambda network: network.prefixlen))
    return tuple(dict.fromkeys(found))


def complement(networks: Iterable[Network]) -> tuple[str, ...]:
    """Every address outside the networks, as CIDRs: what k6 is told to refuse."""
    inside, rest = tuple(networks), list[Network]()
    for everything in (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")):
        left: list[Network] = [everything]
        for network in inside:
            if network.version == everything.version:
                left = [piece for part in left for piece in _without(part, network)]
        rest += left
    return tuple(map(str, rest))


def _without(part: Network, network: Network) -> list[Network]:
    if not part.overlaps(network):
        return [part]
    if part.subnet_of(network):  # type: ignore[arg-type]
        return []
    return list(part.address_exclude(network))  # type: ignore[arg-type]
