"""How long a wedding may last: a week by the clock on the wall, also where the clocks change."""

from datetime import datetime, timedelta

from calendar_guard import zones

LONGEST = timedelta(days=7)


def refuse(starts_at: datetime, ends_at: datetime, zone: str) -> str:
    """Why these instants make no wedding; empty where they do."""
    if ends_at <= starts_at:
        return "The wedding would end before it starts."
    begins, ends = (moment.astimezone(zones.find(zone)) for moment in (starts_at, ends_at))
    lasts = ends.replace(tzinfo=None) - begins.replace(tzinfo=None)
    if min(lasts, ends_at - starts_at) <= LONGEST:
        return ""
    days = -(lasts // timedelta(days=-1))
    return f"The wedding lasts {days} days, and the longest is {LONGEST.days}; is the year right?"
