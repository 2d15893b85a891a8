"""Reads settings from the environment or from secret files, and refuses what makes no sense."""

import os
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured


def flag(name: str) -> bool:
    return os.environ.get(name, "") in {"1", "true", "yes"}


def listing(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def secret(name: str) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names."""
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    raise ImproperlyConfigured(f"Set {name}, or {name}_FILE to a file that holds it.")


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


def refuse_a_moved_clock(*, embedded: bool, offset_s: float) -> None:
    """A moved clock moves the weddings' protection, so no process of a real installation starts."""
    if offset_s and not embedded:
        raise ImproperlyConfigured(
            "WEDSYNC_CLOCK_OFFSET moves the wedding calendar's clock outside the embedded stack. "
            "Unset it; to try another day use ./wedsync demo --at."
        )
