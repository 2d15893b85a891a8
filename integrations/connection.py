"""One TCP connection: its name resolved once, every address checked, all of it within a deadline.

The checked address is the one that is connected to, so that a name cannot change its mind between
the two. Plugs into httpcore: https://www.encode.io/httpcore/network-backends/
"""

import socket
import ssl
import time
from collections.abc import Iterable
from threading import Thread
from typing import Any

import httpcore

from integrations.addresses import Network, refusal
from integrations.errors import Forbidden, TooSlow, Unreachable

_Found = list[tuple[int, str]]


class Deadline:
    """Runs in real time, across connects, redirects and reads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def allow(self, timeout: float | None) -> float:
        """The seconds that one step may take; raises TooSlow when none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow(f"No whole answer within {self._seconds:g} seconds.")
        return left if timeout is None else min(left, timeout)


class GuardedBackend(httpcore.NetworkBackend):
    def __init__(self, allow: tuple[Network, ...], deadline: Deadline) -> None:
        self._allow = allow
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _resolve(host, port, self._deadline.allow(timeout))
        for _, address in addresses:
            if why := refusal(address, self._allow):
                at = "" if address == host else f" is at {address},"
                raise Forbidden(f"{host}{at or ' is'} {why}, which may not be called.")
        return GuardedStream(self._connect(addresses, host, port, timeout), self._deadline)

    def _connect(
        self, addresses: _Found, host: str, port: int, timeout: float | None
    ) -> socket.socket:
        slow = False
        for family, address in addresses:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(self._deadline.allow(timeout))
                connection.connect((address, port))
            except OSError as error:
                slow = slow or isinstance(error, TimeoutError)
                connection.close()
            except TooSlow:
                connection.close()
                raise
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection
        if slow:
            raise TooSlow(f"{host} did not take our connection in time.")
        raise Unreachable(f"Nothing answers at {host}, port {port}.")


class GuardedStream(httpcore.NetworkStream):
    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._connection.settimeout(self._deadline.allow(timeout))
            return self._connection.recv(max_bytes)
        except TimeoutError:
            raise self._too_slow("went silent") from None
        except OSError:
            raise Unreachable("The connection broke before the answer was whole.") from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            while buffer:
                self._connection.settimeout(self._deadline.allow(timeout))
                buffer = buffer[self._connection.send(buffer) :]
        except TimeoutError:
            raise self._too_slow("did not take our request") from None
        except OSError:
            raise httpcore.WriteError from None  # httpcore then looks for an early answer

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._connection.settimeout(self._deadline.allow(timeout))
            secured = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except TimeoutError:
            self.close()
            raise self._too_slow("did not finish the TLS handshake") from None
        except (OSError, ssl.CertificateError) as error:
            self.close()
            why = getattr(error, "verify_message", "") or "the TLS handshake failed"
            raise Unreachable(f"No safe connection to {server_hostname}: {why}.") from None
        return GuardedStream(secured, self._deadline)

    def close(self) -> None:
        self._connection.close()

    def get_extra_info(self, info: str) -> Any:
        return None

    def _too_slow(self, what: str) -> TooSlow:
        self._deadline.allow(None)  # says so where it was the whole call that took too long
        return TooSlow(f"The other side {what}.")


def _resolve(host: str, port: int, seconds: float) -> _Found:
    """In a thread of its own: the system's resolver knows no deadline."""
    found: _Found = []

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend((int(entry[0]), str(entry[4][0])) for entry in entries)

    thread = Thread(target=ask, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TooSlow(f"The name {host} was not resolved in time.")
    if not found:
        raise Unreachable(f"The name {host} has no address here; check its spelling.")
    return found
