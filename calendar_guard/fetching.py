"""Gets a feed's bytes: by http, https and webcal, or from a file in a folder that settings name.

`$WEDSYNC_FEED_…` in an address is replaced here and nowhere else, so that what it stands for is
never stored; and nothing that is raised here shows more of an address than scheme and host. A
secret never chooses where it is sent: it has no place in scheme or host, and `…_HOST` may bind it.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from integrations import client

_SECRET = re.compile(r"\$(WEDSYNC_FEED_[A-Z0-9_]+)")
_MEGABYTE = 1024 * 1024
LIMITS = client.Limits(
    connect=5, read=15, total=60, wire_bytes=32 * _MEGABYTE, body_bytes=32 * _MEGABYTE
)


_NO_FILE = "The file is not there, or may not be read."
_HINT = "If it is meant to be read, its network belongs into WEDSYNC_FEED_NETWORKS."


class Unfetched(Exception):
    """The feed gave nothing this time; the text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`content` is None where the feed is as it was when it gave these marks."""

    content: bytes | None
    etag: str = ""
    last_modified: str = ""


def fetch(*, address: str, etag: str, last_modified: str) -> Fetched:
    """Empty marks ask for the content whatever its age. Raises Unfetched."""
    url = _as_web(_revealed(address.strip()))
    if _is_file(url):
        return _read(url, etag)
    return _call(url, etag, last_modified)


def refusal(address: str) -> str:
    """Why it can never be read, in words, as far as that shows without a network; else empty."""
    if wrong := misplaced(address):
        return wrong
    url = _as_web(address)
    try:
        if not _is_file(url):
            client.check(url, allow=_networks())
        elif not _SECRET.search(url):
            _path_of(url)
    except client.Forbidden as refused:
        return f"{refused} {_HINT}"
    except (client.Refused, Unfetched) as refused:
        return str(refused)
    return ""


def _as_web(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    return f"https{colon}{rest}" if scheme.lower() in {"webcal", "webcals"} else url


def _is_file(url: str) -> bool:
    return url.partition(":")[0].lower() == "file"


def _networks() -> tuple[client.Network, ...]:
    return client.read_networks(settings.WEDSYNC_FEED_NETWORKS)


def shown(address: str) -> str:
    """As much of an address as anybody may see: no path, no query, no password."""
    scheme, _, rest = address.strip().partition(":")
    if scheme.lower() == "file":
        return f"file:///…/{rest.rpartition('/')[2]}"
    web = scheme.lower().replace("webcal", "http")
    return client.redact(f"{web}:{rest}").replace(web, scheme.lower(), 1)


def misplaced(address: str) -> str:
    """Why a secret cannot stand where it does, in words; empty where it can."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "It is no web address."
    is_whole = parts.netloc or parts.scheme == "file"
    fixed = f"{parts.scheme}://{_host(address)}#{parts.fragment}"
    if not _SECRET.search(address) or (parts.scheme and is_whole and not _SECRET.search(fixed)):
        return ""
    return (
        "A secret can stand in the user, the path or the query of an address, but not in its"
        " scheme or host: write those out."
    )


def has_plain_password(address: str) -> bool:
    """Whether the address says `user:password@`, and not `user:$WEDSYNC_FEED_…@`."""
    password = address.partition("://")[2].partition("/")[0].rpartition("@")[0].partition(":")[2]
    return bool(password) and not _SECRET.fullmatch(password)


def _revealed(address: str) -> str:
    if not _SECRET.search(address):
        return address
    if wrong := misplaced(address):
        raise Unfetched(wrong)
    parts = urlsplit(address)
    url = _SECRET.sub(lambda match: _reveal(match[1], parts.hostname or ""), address)
    if not url.lower().startswith(f"{parts.scheme}:") or _host(url) != _host(address):
        raise Unfetched("A secret in its address has signs that do not fit there, such as “/”.")
    return url


def _host(address: str) -> str:
    return urlsplit(address).netloc.rpartition("@")[2]


def _reveal(name: str, host: str) -> str:
    bound = os.environ.get(f"{name}_HOST", "").strip()
    if bound and bound.lower() != host:
        raise Unfetched(f"Its address uses ${name}, which {name}_HOST keeps for another host.")
    if value := os.environ.get(name):
        return value
    try:
        return Path(os.environ[f"{name}_FILE"]).read_text(encoding="utf-8").strip()
    except (KeyError, OSError, UnicodeDecodeError):
        raise Unfetched(
            f"Its address uses ${name}, and neither {name} nor a readable {name}_FILE is set"
            " for the process that reads feeds."
        ) from None


def _call(url: str, etag: str, last_modified: str) -> Fetched:
    marks = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {"Accept": "text/calendar, */*;q=0.1"} | {k: v for k, v in marks.items() if v}
    try:
        answer = client.fetch(url, headers=headers, limits=LIMITS, allow=_networks())
    except client.Forbidden as refused:
        raise Unfetched(f"{refused} {_HINT}") from None
    except client.CallFailed as failed:
        raise Unfetched(str(failed)) from None
    if answer.status == 304 and len(headers) > 1:
        return Fetched(None, etag, last_modified)
    if answer.status != 200:
        raise Unfetched(f"{client.redact(url)}: {_reason(answer.status)}")
    return Fetched(
        answer.body,
        _fitting(answer.headers.get("ETag", ""), 500),
        _fitting(answer.headers.get("Last-Modified", ""), 100),
    )


def _reason(status: int) -> str:
    if status in {401, 403}:
        return f"It wants a password or key that we did not give ({status})."
    if status in {404, 410}:
        return f"There is no calendar at this address ({status})."
    return f"It answered with HTTP status {status} instead of a calendar."


def _fitting(mark: str, most: int) -> str:
    """A mark that was cut would never match, and a control character cannot be sent back."""
    return mark if len(mark) <= most and mark.isprintable() and mark.isascii() else ""


def _read(url: str, etag: str) -> Fetched:
    path = _path_of(url)
    try:
        if path.is_dir():
            raise Unfetched("The address names no file.")
        return _read_file(path, etag)
    except (OSError, ValueError, RuntimeError):
        raise Unfetched(_NO_FILE) from None


def _path_of(url: str) -> Path:
    """Inside the folders that may be read. Raises Unfetched."""
    try:
        parts = urlsplit(url)
        path = Path(unquote(parts.path)).resolve()
        folders = [Path(folder).resolve() for folder in settings.WEDSYNC_FEED_FOLDERS]
    except (OSError, ValueError, RuntimeError):
        raise Unfetched(_NO_FILE) from None
    if parts.netloc not in {"", "localhost"}:
        raise Unfetched("A file address names no host; write file:///folder/calendar.ics.")
    if not any(path.is_relative_to(folder) for folder in folders):
        raise Unfetched("The file is in none of the folders that WEDSYNC_FEED_FOLDERS lists.")
    return path


def _read_file(path: Path, etag: str) -> Fetched:
    """Non-blocking, so that a pipe without a writer is seen for what it is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise Unfetched("The address names no file.")
        mark = f"{facts.st_mtime_ns}-{facts.st_size}"
        if mark == etag:
            return Fetched(None, etag)
        content = file.read(LIMITS.body_bytes + 1)
    if len(content) > LIMITS.body_bytes:
        raise Unfetched(f"The file is larger than {LIMITS.body_bytes:,} bytes.")
    return Fetched(content, mark)
