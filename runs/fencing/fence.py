"""What a tool may reach, as doors in a network of its own. Pure; see docs/bringing-a-script.md."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from runs.fencing.networks import read_address
from runs.fencing.places import Place

_FIRST = int(IPv4Address("127.77.0.1"))
_USUAL_PORTS = (80, 443)


@dataclass(frozen=True, slots=True)
class Door:
    """`inside` is where the tool finds it, `outside` where it leads."""

    inside: tuple[str, int]
    outside: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Fence:
    """The doors, and the names (with their addresses inside) that lead to them."""

    doors: tuple[Door, ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    def hosts_file(self) -> str:
        lines = ["127.0.0.1 localhost", "::1 localhost"]
        return "\n".join([*lines, *(f"{address} {name}" for name, address in self.names)]) + "\n"


def around(
    named: Iterable[tuple[str, int, Place]], mapped: Mapping[tuple[str, int | None], Place]
) -> Fence:
    """The fence around the addresses that a test names (host, port, place), and its map of hosts.

    A mapped name has an address of its own inside, on its usual ports: so a script's
    https://shop.example finds what is at port 9000 of another machine. A place of port 0 keeps the
    script's port.
    """
    inside_of = {name: str(IPv4Address(_FIRST + n)) for n, name in enumerate(_names(mapped))}
    names = list(inside_of.items())
    named = list(named)
    doors = _mapped_doors(named, mapped, inside_of)
    for host, port, place in named:
        if (host, port) in mapped or (host, None) in mapped:
            continue
        if host in inside_of:  # only its other ports are mapped: this one is where it really is
            doors[inside_of[host], port] = (str(place.addresses[0]), port)
            continue
        for address in map(str, place.addresses):
            doors[address, port] = (address, port)
            if not read_address(host) and host != "localhost":
                names.append((host, address))
    found = tuple(Door(inside, outside) for inside, outside in doors.items())
    return Fence(found, tuple(dict.fromkeys(names)))


def _mapped_doors(
    named: Iterable[tuple[str, int, Place]],
    mapped: Mapping[tuple[str, int | None], Place],
    inside_of: Mapping[str, str],
) -> dict[tuple[str, int], tuple[str, int]]:
    doors: dict[tuple[str, int], tuple[str, int]] = {}
    for (name, port), place in mapped.items():
        asked = {number for host, number, _ in named if host == name}
        ports = {port} if port else {*_USUAL_PORTS, *asked, *([place.port] if place.port else [])}
        for number in sorted(filter(None, ports)):
            outside = (str(place.addresses[0]), place.port or number)
            if port or (inside_of[name], number) not in doors:
                doors[inside_of[name], number] = outside
    return doors


def _names(mapped: Mapping[tuple[str, int | None], Place]) -> list[str]:
    return list(dict.fromkeys(name for name, _ in mapped))
