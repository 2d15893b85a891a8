"""Where an address leads: read, and resolved here, once, so that what was judged is what is loaded.

`hosts` is a run's own map of names: {"shop.example": "127.0.0.1:9000"}. A name may carry a port
("shop.example:443"), then only that port is mapped; a value without a port keeps the script's.
"""

import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from runs.fencing.networks import Address, read_address
from runs.request import Invalid

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,252}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A host and port as they are really reached. `host` is the name or address behind the map."""

    host: str
    port: int
    addresses: tuple[Address, ...]

    @property
    def site(self) -> str:
        """One address, one name: tests of it wait for each other, however they write it."""
        first = self.addresses[0]
        here = any(str(address) in {"127.0.0.1", "::1"} for address in self.addresses)
        host = "localhost" if here else f"[{first}]" if first.version == 6 else str(first)
        return f"{host}:{self.port}"


def locate(target: str, hosts: Mapping[str, str]) -> Place:
    """Raises Invalid."""
    host, port = read_target(target)
    named = hosts_of(hosts)
    where = named.get((host, port)) or named.get((host, None))
    if where:
        host, port = where[0], where[1] or port
    return Place(host, port, resolve(host))


def read_target(target: str) -> tuple[str, int]:
    """Host (in small letters) and port of an address (http, https, ws or wss)."""
    try:
        parts = urlsplit(target)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise Invalid(
            "target",
            f"{target!r} is no target; write an address like http://127.0.0.1:9000 or ws://127.0.0.1:9000.",
        )
    if parts.username or parts.password:
        raise Invalid(
            "target",
            "A target is kept and shown, so it must not hold a password; the script can send one.",
        )
    return host.rstrip("."), port or _DEFAULT_PORTS[scheme]


def resolve(host: str) -> tuple[Address, ...]:
    """The host's addresses, in order. Raises Invalid where it has none here."""
    if address := read_address(host):
        return (address,)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid(
            "target",
            f"The host {host} has no address here; check its name, or say in `hosts` where it is.",
        ) from None
    addresses = {read_address(str(entry[4][0])) for entry in found}
    return tuple(sorted((one for one in addresses if one), key=lambda one: (one.version, int(one))))


def read_named(hosts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """What a plan names, as hosts and ports: a URL, "host:port", or a host at its usual two."""
    for text in hosts:
        if "://" in text:
            scheme = "http" if text.startswith(("http:", "ws:")) else "https"
            yield read_target(f"{scheme}://{text.partition('://')[2]}")
        elif found := _split(text):
            ports = (found[1],) if found[1] else sorted({*_DEFAULT_PORTS.values()})
            yield from ((found[0].lower(), port) for port in ports)


def hosts_of(hosts: Mapping[str, str]) -> dict[tuple[str, int | None], tuple[str, int | None]]:
    """The map as (name, port or None) -> (name or address, port or None). Raises Invalid."""
    found = {}
    for name, where in hosts.items():
        source, place = _split(name), _split(where)
        if not source or read_address(source[0]) or not is_name(source[0]):
            raise Invalid(
                "hosts", f"{name!r} is no name of a host; write it in full, like shop.example."
            )
        if not place or not (read_address(place[0]) or is_name(place[0])):
            raise Invalid(
                "hosts", f"{where!r} is no place for {name}; write an address like 127.0.0.1:9000."
            )
        found[source[0].lower().rstrip("."), source[1]] = place
    return found


def mapped(hosts: Mapping[str, str]) -> dict[tuple[str, int | None], Place]:
    """Where each name of the map leads; port 0 keeps the script's own. Raises Invalid."""
    return {
        name: Place(host, port or 0, resolve(host))
        for name, (host, port) in hosts_of(hosts).items()
    }


def is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text))


def _split(text: object) -> tuple[str, int | None] | None:
    """Host and port of "shop.example:443", "[::1]:9000", "::1" or "10.0.0.1"."""
    if not isinstance(text, str) or not text:
        return None
    if address := read_address(text) if not text.startswith("[") or text.endswith("]") else None:
        return str(address), None
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, None
    if not (len(port) <= 5 and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        return None
    return host.strip("[]"), int(port)
