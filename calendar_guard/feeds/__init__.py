"""Calendars that are read again and again: fetched, believed or not, and kept as weddings."""

from calendar_guard.feeds.claims import UnknownFeed
from calendar_guard.feeds.syncing import EVERY, WRITTEN, SyncWord, sync

__all__ = ["EVERY", "WRITTEN", "SyncWord", "UnknownFeed", "sync"]
