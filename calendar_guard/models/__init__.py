"""What the calendar keeps. Every write goes through `calendar_guard.writing`."""

from calendar_guard.models.feeds import Attestation, Feed
from calendar_guard.models.holds import Hold
from calendar_guard.models.permits import Permit
from calendar_guard.models.revisions import Change, Revision
from calendar_guard.models.weddings import (
    FIRST,
    LAST,
    LONGEST_MARGIN,
    LONGEST_PROTECTION,
    LONGEST_WEDDING,
    Coordinator,
    Wedding,
    validate_zone,
)

__all__ = [
    "FIRST",
    "LAST",
    "LONGEST_MARGIN",
    "LONGEST_PROTECTION",
    "LONGEST_WEDDING",
    "Attestation",
    "Change",
    "Coordinator",
    "Feed",
    "Hold",
    "Permit",
    "Revision",
    "Wedding",
    "validate_zone",
]
