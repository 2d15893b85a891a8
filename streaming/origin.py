"""Which web pages may open a stream. Without this, any page a visitor has open could read them."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

# The port that an origin of this scheme leaves out, and a Host header too.
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


def objection(headers: list[tuple[bytes, bytes]], *, originless: bool) -> str | None:
    """Why this client may not come in, as a sentence, or None.

    The Host must be one of ours (a name rebound to loopback is not), a present Origin must match
    it, a missing one passes only where `originless` says that the client is no foreign page.
    """
    words = {name.lower(): value.decode("latin-1") for name, value in headers}
    host = words.get(b"host", "")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return f"This server does not answer to the name {host[:80]!r}."
    origin = words.get(b"origin")
    if origin is None:
        if originless:
            return None
        return "A client without an Origin needs a token (Authorization: Bearer)."
    if origin in settings.CSRF_TRUSTED_ORIGINS or _place(origin) == host.lower():
        return None
    return f"Pages of {origin[:80]!r} may not read the streams of {host[:80]!r}."


def _place(origin: str) -> str | None:
    """The Host header that a page of this origin would send to its own server."""
    try:
        parts = urlsplit(origin.lower())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return name if port is None or str(port) == _PORTS[parts.scheme] else f"{name}:{port}"
