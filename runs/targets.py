"""Which addresses a load tool may reach: networks, checked on the resolved address."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TargetRefused(ValueError):
    """The target is no http(s) address, or a load test may not reach it."""


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def check_target(target: str, networks: tuple[Network, ...]) -> None:
    """Raise TargetRefused with a sentence unless every address of the target may be reached."""
    try:
        parts = urlsplit(target)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in {"http", "https"} or not host:
        raise TargetRefused(
            f"{target!r} is no target; write an address like http://127.0.0.1:9000."
        )
    if parts.username or parts.password:
        raise TargetRefused(
            "A target is kept and shown, so it must not hold a password; the script can send one."
        )
    try:
        found = socket.getaddrinfo(host, port or scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise TargetRefused(f"The host {host} has no address here; check its name.") from None
    for address in sorted({str(entry[4][0]) for entry in found}):
        if not any(ipaddress.ip_address(address) in network for network in networks):
            allowed = ", ".join(map(str, networks))
            subject = f"Load tests may not reach {host}"
            if host != address:
                subject += f", which is {address} here"
            raise TargetRefused(
                f"{subject}; allowed are {allowed}. "
                "Ask whoever runs this installation to add its network."
            )


def complement(networks: tuple[Network, ...]) -> tuple[str, ...]:
    """Every address outside the networks, as CIDRs: what k6 is told to refuse."""
    rest: list[Network] = []
    for everything in (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")):
        left: list[Network] = [everything]
        for network in networks:
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
