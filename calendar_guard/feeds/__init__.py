"""Calendars that are read again and again: fetched, believed or not, and kept as weddings."""

from calendar_guard.feeds.claims import UnknownFeed
from calendar_guard.feeds.syncing import (
    BROKEN,
    FRESH,
    OVERTAKEN,
    UNREACHED,
    WRITTEN,
    SyncWord,
    sync,
)

__all__ = [
    "BROKEN",
    "FRESH",
    "OVERTAKEN",
    "UNREACHED",
    "WRITTEN",
    "SyncWord",
    "UnknownFeed",
    "sync",
]
