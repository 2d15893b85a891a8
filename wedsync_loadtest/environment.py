"""Reads settings from the environment or from secret files, and is the only place that does."""

import os
from pathlib import Path

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
