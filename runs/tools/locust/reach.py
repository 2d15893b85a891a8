"""Loaded by Locust before all else: where its requests may go, where names lead, whom it trusts.

Needs nothing but Locust.
"""

import ipaddress
import json
import os

import gevent
import gevent.socket
from requests.adapters import HTTPAdapter

DENIED = os.environ.get("WEDSYNC_DENIED", "").split()
HOSTS = json.loads(os.environ.get("WEDSYNC_HOSTS", "{}"))
TRUSTED = os.environ.get("REQUESTS_CA_BUNDLE", "")


class Fence:
    """Refuses connections to denied networks, on the resolved address.

    It holds for every client that goes through Python's sockets, which Locust's own do. A script
    that means to get around it can: it shares this interpreter.
    """

    def __init__(self, denied: list[str]) -> None:
        self.denied = [ipaddress.ip_network(text) for text in denied]

    def check(self, address: object) -> None:
        if not isinstance(address, tuple):
            return
        try:
            ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        except ValueError:
            return  # a name: resolved before it is connected to, and checked then
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if any(ip in network for network in self.denied):
            raise ConnectionRefusedError(f"A load test may not reach {ip}.")

    def guard(self, kind: type) -> None:
        for name in ("connect", "connect_ex"):
            setattr(kind, name, self._checked(getattr(kind, name)))

    def _checked(self, connect):
        def checked(socket, address):
            self.check(address)
            return connect(socket, address)

        return checked


class Names:
    """Finds the mapped hosts ("shop.example", "shop.example:443") where the map says they are."""

    def __init__(self, hosts: dict) -> None:
        self.hosts = hosts
        self.resolver = gevent.get_hub().resolver
        self.ask = self.resolver.getaddrinfo
        self.resolver.getaddrinfo = self.getaddrinfo

    def getaddrinfo(self, host, port, *rest, **words):
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        name = name.lower().rstrip(".")
        where = self.hosts.get(f"{name}:{port}") or self.hosts.get(name)
        if where:
            host, number = split(where)
            port = number or port
        return self.ask(host, port, *rest, **words)


def split(where: str) -> tuple:
    """Address and port of "127.0.0.1:9000", "[::1]:9000", "127.0.0.1" or "::1"."""
    if where.startswith("[") or where.count(":") == 1:
        address, _, port = where.rpartition(":")
        return address.strip("[]"), int(port)
    return where, None


def trust(bundle: str) -> None:
    """Locust's sessions ignore the environment, so the run's own authority goes in here."""
    send = HTTPAdapter.send

    def trusting(adapter, request, stream=False, timeout=None, verify=True, **rest):
        verify = bundle if verify is True else verify
        return send(adapter, request, stream=stream, timeout=timeout, verify=verify, **rest)

    HTTPAdapter.send = trusting


if TRUSTED:
    trust(TRUSTED)
if HOSTS:
    Names(HOSTS)
if DENIED:
    Fence(DENIED).guard(gevent.socket.socket)
