"""Carries a fenced tool's connections to the addresses that it may reach, and to no other.

Run as `python -I -S relay.py TERMS` (TERMS: {"control": fd, "go": fd, "to": [[address, port],
...]}): the listening sockets come over the control socket, in the order of `to`; they live in the
tool's own network, the connections made here in ours. The doors are shut until a byte comes from
`go`: a tool that waits shares its process with its script. Ends with its supervisor, or when it is
told to.
"""

import contextlib
import json
import os
import resource
import select
import socket
import struct
import sys
from collections.abc import Callable

CHUNK, MOST_PENDING = 1 << 16, 1 << 18
BURST = 64
IN, OUT = select.EPOLLIN, select.EPOLLOUT
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_BUSY = (BlockingIOError, InterruptedError)


class Side:
    """One end of a relayed connection; `pending` waits to be written to it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.fd = sock, sock.fileno()
        self.pending = bytearray()
        self.other: Side
        self.ended = self.shut = False
        self.events = -1

    def wanted(self) -> int:
        reads = not self.ended and len(self.other.pending) < MOST_PENDING
        return (IN if reads else 0) | (OUT if self.pending else 0)


class Relay:
    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.doors: dict[int, Callable[[], None]] = {}
        self.sides: dict[int, Side] = {}

    def open(self, door: socket.socket, to: tuple[str, int]) -> None:
        door.setblocking(False)
        self.doors[door.fileno()] = lambda: self._accept(door, to)
        self.epoll.register(door.fileno(), IN)

    def run(self) -> None:
        sides, doors, poll = self.sides, self.doors, self.epoll.poll
        while True:
            for fd, events in poll():
                if side := sides.get(fd):
                    self._serve(side, events)
                elif fd in doors:
                    doors[fd]()

    def _accept(self, door: socket.socket, to: tuple[str, int]) -> None:
        for _ in range(BURST):
            try:
                inner = door.accept()[0]
            except OSError:
                return
            self._connect(inner, to)

    def _connect(self, inner: socket.socket, to: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
        try:
            outer = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError:
            _abort(inner)
            return
        one, two = Side(inner), Side(outer)
        one.other, two.other = two, one
        for side in (one, two):
            side.sock.setblocking(False)
            side.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sides[side.fd] = side
        outer.connect_ex(to)  # its outcome is what the first look at the socket says
        self._await(one)
        self._await(two)

    def _serve(self, side: Side, events: int) -> None:
        try:
            if events & OUT:
                self._write(side)
            if events & ~OUT:
                self._read(side)
        except _BUSY:
            pass
        except OSError:
            self._end(side, _abort)
            return
        if side.shut and side.other.shut:
            self._end(side, socket.socket.close)
            return
        self._await(side)
        self._await(side.other)

    def _read(self, side: Side) -> None:
        if side.ended:
            raise ConnectionResetError  # nothing is left to read: only a reset wakes us here
        data = side.sock.recv(CHUNK)
        other = side.other
        if not data:
            side.ended = True
        elif other.pending:
            other.pending += data
        else:
            try:
                sent = other.sock.send(data)
            except _BUSY:
                sent = 0
            if sent < len(data):
                other.pending += memoryview(data)[sent:]
        self._shut(other)

    def _write(self, side: Side) -> None:
        if side.pending:
            del side.pending[: side.sock.send(side.pending)]
        self._shut(side)

    def _shut(self, side: Side) -> None:
        """Pass the end of one side on, once all before it is written."""
        if side.other.ended and not side.pending and not side.shut:
            side.shut = True
            side.sock.shutdown(socket.SHUT_WR)

    def _await(self, side: Side) -> None:
        wanted = side.wanted()
        if side.ended and side.shut:  # over both ways: epoll would tell us for ever
            if side.events >= 0:
                self.epoll.unregister(side.fd)
                side.events = -1
        elif wanted != side.events:
            change = self.epoll.register if side.events < 0 else self.epoll.modify
            change(side.fd, wanted)
            side.events = wanted

    def _end(self, side: Side, close: Callable[[socket.socket], None]) -> None:
        for one in (side, side.other):
            del self.sides[one.fd]
            close(one.sock)


def _abort(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    sock.close()


def main() -> None:
    terms = json.loads(sys.argv[1])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    relay = Relay()
    descriptors: list[int] = []
    with socket.socket(fileno=terms["control"]) as control:
        while some := socket.recv_fds(control, 5, 253)[1]:
            descriptors += some
    if not os.read(terms["go"], 1):
        return
    for descriptor, (address, port) in zip(descriptors, terms["to"], strict=False):
        relay.open(socket.socket(fileno=descriptor), (address, port))
    if descriptors:
        relay.run()


if __name__ == "__main__":
    main()
