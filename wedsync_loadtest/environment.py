"""Reads settings from the environment or from secret files, and refuses what makes no sense."""

import os
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from clock.iso import parse_duration

# IMMEDIATE makes calendar writes and permits queue up instead of failing with "database is locked".
_SQLITE = {
    "timeout": 20,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
}
# A process that is frozen with a lock in its hand would keep every coordinator waiting, while tests
# of others go on. What the URL says of it comes later, and counts.
_POSTGRESQL = "-c idle_in_transaction_session_timeout=10s"


def flag(name: str) -> bool:
    return os.environ.get(name, "") in {"1", "true", "yes"}


def listing(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def secret(name: str) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names."""
    if value := _secret(name):
        return value
    raise ImproperlyConfigured(f"Set {name}, or {name}_FILE to a file that holds it.")


def database(name: str, *, default: Path) -> dict[str, Any]:
    """What NAME, a secret too, says of the database; the SQLite file `default` where it is unset.

    Connections end with their request or task (CONN_MAX_AGE 0): one that is kept for later outlives
    the thread of the ASGI server that opened it.
    """
    url = _secret(name)
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": default, "OPTIONS": _SQLITE}
    found = _database(url)
    if found is None:  # not a word of the URL is told: it may be the password
        raise ImproperlyConfigured(
            f"{name} names no database that we run on; write "
            "postgresql://USER:PASSWORD@HOST:5432/NAME, with the password's special characters "
            "percent-encoded (@ is %40, / is %2F), or sqlite:////FOLDER/FILE."
        )
    if urlsplit(url).scheme == "sqlite":
        found["OPTIONS"] = _SQLITE | found.get("OPTIONS", {})
    else:
        options = found.setdefault("OPTIONS", {})
        options["options"] = f"{_POSTGRESQL} {options.get('options', '')}".strip()
    return found


def _database(url: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=0)}
        scheme = urlsplit(url).scheme
    except ValueError:
        return None
    if scheme == "sqlite":  # one in memory would be another one in each process
        return found if found["NAME"] != ":memory:" else None
    # A password that is not encoded ends early, and its rest becomes the name.
    is_name = found["NAME"] and not set("/@") & set(found["NAME"])
    return found if scheme in {"postgres", "postgresql"} and is_name else None


def _secret(name: str) -> str:
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return ""


def zones(name: str, default: str) -> tuple[str, ...]:
    found = listing(name, default)
    for zone in found:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ImproperlyConfigured(
                f"{name} names {zone!r}, which is no time zone; write Europe/London."
            ) from None
    return tuple(found)


def networks(name: str, default: str) -> list[str]:
    found = listing(name, default)
    for network in found:
        try:
            ip_network(network)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}; write 10.0.0.0/8.") from None
    return found


def duration(name: str, default: str) -> timedelta:
    try:
        return parse_duration(os.environ.get(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def refuse_a_moved_clock(*, embedded: bool, offset_s: float) -> None:
    """A moved clock moves the weddings' protection, so no process of a real installation starts."""
    if offset_s and not embedded:
        raise ImproperlyConfigured(
            "WEDSYNC_CLOCK_OFFSET moves the wedding calendar's clock outside the embedded stack. "
            "Unset it; to try another day use ./wedsync demo --at."
        )
