"""A calendar file's text as the weddings it holds. https://www.rfc-editor.org/rfc/rfc5545"""

from calendar_guard.ical.components import Unreadable
from calendar_guard.ical.reading import Occasion, read

__all__ = ["Occasion", "Unreadable", "read"]
