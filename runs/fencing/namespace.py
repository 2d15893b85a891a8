"""Puts the tool into a network of its own, where nothing is but the doors that were made for it.

Loaded by launcher.py, before the tool is executed: no import of ours. See user_namespaces(7),
network_namespaces(7), rtnetlink(7). A socket stays in the network in which it was made: the
listening ones made here are handed to the relay outside, which accepts on them.
"""

import ctypes
import ipaddress
import os
import socket
import struct
import tempfile
from typing import Any

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_DUMPABLE = 4
RTM_NEWLINK, RTM_NEWADDR = 16, 20
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 0x1, 0x4, 0x400
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD = 1, 2, 0x02
IFF_UP = 1
BACKLOG = 1024
MOST_AT_ONCE = 200  # a message carries 253 descriptors at most (unix(7))

_libc = ctypes.CDLL(None, use_errno=True)


def enter(terms: dict[str, Any]) -> None:
    """Leave the network behind: {"listen": [[address, port]], "hosts": text, "control": fd}.

    Raises OSError where the kernel does not let us.
    """
    _unshare()
    _up()
    listeners = [_listen(address, port) for address, port in terms["listen"]]
    if terms["hosts"]:
        _name(terms["hosts"])
    if listeners:
        with socket.socket(fileno=terms["control"]) as control:
            for first in range(0, len(listeners), MOST_AT_ONCE):
                some = listeners[first : first + MOST_AT_ONCE]
                socket.send_fds(control, [b"doors"], [one.fileno() for one in some])
    for listener in listeners:
        listener.close()


def _unshare() -> None:
    """Root makes a network as it is; everybody else needs a user namespace around it."""
    spaces = CLONE_NEWNET | CLONE_NEWNS
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        _checked(_libc.unshare(spaces))
        return
    _libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    _checked(_libc.unshare(spaces | CLONE_NEWUSER))
    for name, line in (
        ("setgroups", "deny"),
        ("gid_map", f"{gid} {gid} 1"),
        ("uid_map", f"{uid} {uid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def _up() -> None:
    """The loopback of a new network is down."""
    _ask(RTM_NEWLINK, 0, struct.pack("=BxHiII", 0, 0, _loopback(), IFF_UP, IFF_UP))


def _listen(address: str, port: int) -> socket.socket:
    ip = ipaddress.ip_address(address)
    if not ip.is_loopback:
        _add(ip)
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(BACKLOG)
    return listener


def _add(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    word = struct.pack("=BBBBI", family, ip.max_prefixlen, IFA_F_NODAD, 0, _loopback())
    for kind in (IFA_LOCAL, IFA_ADDRESS):
        word += struct.pack("=HH", 4 + len(ip.packed), kind) + ip.packed
    _ask(RTM_NEWADDR, NLM_F_CREATE, word)  # an address that is there already is no error


def _ask(kind: int, flags: int, word: bytes) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route:
        head = struct.pack("=IHHII", 16 + len(word), kind, NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0)
        route.send(head + word)
        error = -struct.unpack_from("=i", route.recv(4096), 16)[0]
        if error:
            raise OSError(error, os.strerror(error))


def _loopback() -> int:
    return socket.if_nametoindex("lo")


def _name(hosts: str) -> None:
    """By a new file that no other user can write or replace: the work directory is the tool's."""
    _mount(b"none", b"/", MS_REC | MS_PRIVATE)
    descriptor, path = tempfile.mkstemp(prefix="wedsync-hosts-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(hosts)
            file.flush()
            os.fchmod(descriptor, 0o644)
            _mount(f"/proc/self/fd/{descriptor}".encode(), b"/etc/hosts", MS_BIND)
    finally:
        os.unlink(path)


def _mount(source: bytes, target: bytes, flags: int) -> None:
    _checked(_libc.mount(source, target, None, flags, None))


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
