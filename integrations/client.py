"""The one HTTP client of the product: every call has limits, and goes where its caller may reach.

`fetch` sends once and never repeats by itself. Proxies and CA bundles named in the environment are
not used, nothing is remembered between calls, and what it raises or logs never shows more of a URL
than scheme, host and port.
"""

import base64
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpcore
import httpx

from integrations.addresses import Network, read_networks, refusal
from integrations.connection import Deadline, GuardedBackend
from integrations.errors import (
    CallFailed,
    Forbidden,
    Garbled,
    Refused,
    TooLarge,
    TooSlow,
    Unreachable,
)
from integrations.unpacking import ACCEPTED, collect

__all__ = [
    "Answer",
    "CallFailed",
    "Forbidden",
    "Garbled",
    "Limits",
    "Network",
    "Refused",
    "TooLarge",
    "TooSlow",
    "Unreachable",
    "check",
    "fetch",
    "read_networks",
    "redact",
]

# At DEBUG httpcore writes the headers that it receives, and a Location can be a secret.
logging.getLogger("httpcore").setLevel(logging.INFO)

_MEGABYTE = 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_OF_ONE_HOP = frozenset({"host", "content-length", "content-type", "transfer-encoding"})
# What may follow to another origin: nothing in these can be a key.
_HARMLESS = frozenset({"accept", "accept-encoding", "user-agent"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, between two reads, and for the whole call with its redirects; bytes."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 30.0
    wire_bytes: int = _MEGABYTE
    body_bytes: int = 4 * _MEGABYTE


@dataclass(frozen=True, slots=True)
class Answer:
    """Whatever status came, of redirects the last one's. Its repr shows no content."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limits: Limits | None = None,
    allow: tuple[Network, ...] = (),
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Call `url` (http or https; `user:password@` becomes basic authentication).

    Public addresses may be called, and those in `allow`. GET and HEAD follow at most five
    redirects, each checked anew, never from https to http, and without the caller's headers where
    the origin changes; other methods get the redirect as their answer. Raises a CallFailed.
    """
    limits = limits or Limits()
    deadline = Deadline(limits.total)
    request = _request(method, _read_url(url), headers or {}, body)
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _send_named(request, limits, GuardedBackend(allow, deadline), tls)
        location = answer.headers.get("location")
        if answer.status not in _REDIRECTS or not location or method not in {"GET", "HEAD"}:
            return answer
        request = _follow(request, location)
    raise Refused(f"{redact(url)}: More than {_MOST_REDIRECTS} redirects.")


def check(url: str, *, allow: tuple[Network, ...] = ()) -> None:
    """What can be told of `url` without a network. Raises Refused; Forbidden.

    Where a name leads is looked up, and checked, at each call.
    """
    host = _read_url(url).host
    try:
        why = refusal(host, allow)
    except ValueError:  # a name
        return
    if why:
        raise Forbidden(f"{host} is {why}, which may not be called.")


def redact(url: str) -> str:
    """`https://host:port/…`: what may be shown of a URL."""
    try:
        return _shown(_read_url(url))
    except Refused:
        return "…"


def _shown(url: httpx.URL) -> str:
    """All of a URL that may be read by others: path, query and password can each be a secret."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{host}{port}/…"


def _read_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, ValueError):  # its own text would repeat the URL
        host = ""
    if not host or url.scheme not in {"http", "https"}:
        raise Refused("This is no web address; write one like https://example.com/calendar.ics.")
    return url


def _request(
    method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None
) -> httpx.Request:
    request = httpx.Request(
        method, url, headers=httpx.Headers(headers, encoding="utf-8"), content=body
    )
    request.headers["Accept-Encoding"] = ACCEPTED
    request.headers.setdefault("User-Agent", "wedsync-loadtest")
    if url.userinfo and "Authorization" not in request.headers:
        plain = f"{url.username}:{url.password}".encode()
        request.headers["Authorization"] = f"Basic {base64.b64encode(plain).decode()}"
    return request


def _follow(request: httpx.Request, location: str) -> httpx.Request:
    try:
        target = request.url.join(location)
        target = _read_url(str(target.copy_with(username=None, password=None)))
    except (httpx.InvalidURL, ValueError, Refused):
        raise Refused(f"{_shown(request.url)}: Redirects to what is no web address.") from None
    if request.url.scheme == "https" and target.scheme == "http":
        raise Refused(
            f"{_shown(request.url)}: Redirects to {_shown(target)}, which all on the way can read."
        )
    kept = {name: value for name, value in request.headers.items() if name not in _OF_ONE_HOP}
    if _origin(target) != _origin(request.url):
        kept = {name: value for name, value in kept.items() if name in _HARMLESS}
    return _request(request.method, target, kept, None)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}[url.scheme]


def _send_named(
    request: httpx.Request, limits: Limits, backend: GuardedBackend, tls: ssl.SSLContext | None
) -> Answer:
    """Every failure begins with the address that failed."""
    where = _shown(request.url)
    try:
        return _send(request, limits, backend, tls)
    except CallFailed as failure:
        raise type(failure)(f"{where}: {failure}") from None
    except httpcore.LocalProtocolError:  # its own text would repeat a header
        raise Refused(f"{where}: A header of our request is malformed.") from None
    except httpcore.RemoteProtocolError:
        raise Garbled(f"{where}: What came back is no whole HTTP answer.") from None


def _send(
    request: httpx.Request, limits: Limits, backend: GuardedBackend, tls: ssl.SSLContext | None
) -> Answer:
    url = request.url
    timeouts = {"connect": limits.connect, "read": limits.read, "write": limits.read}
    with (
        httpcore.ConnectionPool(ssl_context=tls, network_backend=backend) as pool,
        pool.stream(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme,
                host=url.raw_host,
                port=url.port,
                target=url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.read(),
            extensions={"timeout": timeouts},
        ) as response,
    ):
        headers = httpx.Headers(response.headers)
        announced = headers.get("content-length", "")
        if request.method != "HEAD" and announced.isdigit() and int(announced) > limits.wire_bytes:
            raise TooLarge(f"The answer is larger than {limits.wire_bytes:,} bytes.")
        body = collect(
            response.iter_stream(),
            encoding=headers.get("content-encoding", ""),
            wire_limit=limits.wire_bytes,
            limit=limits.body_bytes,
        )
        return Answer(response.status, headers, body)
