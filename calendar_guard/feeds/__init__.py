"""Calendars that are read again and again: fetched, believed or not, and kept as weddings."""

from calendar_guard.feeds.claims import UnknownFeed
from calendar_guard.feeds.syncing import WRITTEN, SyncWord, sync

__all__ = ["WRITTEN", "SyncWord", "UnknownFeed", "sync"]
