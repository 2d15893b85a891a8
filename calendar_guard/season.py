"""What the wedding calendar says about a moment: season, peak, how many weddings are near."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from calendar_guard import zones
from calendar_guard.words import Calendar, Window

NEAR = timedelta(hours=24)
_PEAK_DAYS = (4, 5)  # Friday, Saturday


@dataclass(frozen=True, slots=True)
class Context:
    wedding_season: bool
    wedding_peak_time: bool
    estimated_wedding_load: int

    def as_tags(self) -> dict[str, bool | int]:
        """Few values, no names: these leave the house with every metric."""
        return {
            "wedding_season": self.wedding_season,
            "wedding_peak_time": self.wedding_peak_time,
            "estimated_wedding_load": self.estimated_wedding_load,
        }


def describe(*, calendar: Calendar, now: datetime) -> Context:
    now = zones.utc(now)
    local = now.astimezone(zones.find(calendar.policy.home_zone))
    in_season = local.month in calendar.policy.season
    near = Window(now - NEAR, now + NEAR)
    spans = (wedding.protection(now) for wedding in calendar.weddings)
    return Context(
        wedding_season=in_season,
        wedding_peak_time=in_season and local.weekday() in _PEAK_DAYS,
        estimated_wedding_load=sum(span is not None and span.touches(near) for span in spans),
    )
