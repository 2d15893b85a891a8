"""Which addresses may be called: public ones, and the networks that a caller allows.

https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sister; NAT64 is RFC 6052.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_SHARED = IPv4Network("100.64.0.0/10")
_COMPATIBLE = IPv6Network("::/96")
_SITE_LOCAL = IPv6Network("fec0::/10")


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """`10.0.0.0/8`, `fd00::/8`; ValueError for what is no network."""
    return tuple(ip_network(text) for text in texts)


def refusal(text: str, allow: tuple[Network, ...]) -> str:
    """What forbids this address, such as "a private address"; empty where nothing does."""
    address = ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped  # the kernel connects to the IPv4 address
    if any(address in network for network in allow):
        return ""
    inner = _embedded(address)
    return _kind(address) or (refusal(str(inner), allow) if inner is not None else "")


def _embedded(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour


def _kind(address: Address) -> str:
    kinds = {
        "a loopback address": address.is_loopback,
        "a link-local address": address.is_link_local,
        "a multicast address": address.is_multicast,
        "an address that a provider's customers share": address in _SHARED,
        "a reserved address": _is_reserved(address),
        "a private address": not address.is_global,
    }
    return next((kind for kind, holds in kinds.items() if holds), "")


def _is_reserved(address: Address) -> bool:
    """NAT64's prefix lies in a reserved block without being reserved itself."""
    odd = address.is_unspecified or address in _COMPATIBLE or address in _SITE_LOCAL
    return odd or (address.is_reserved and address not in _NAT64)
