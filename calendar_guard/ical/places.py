"""Which clock an event's times are read on: its IANA zone, the feed's own VTIMEZONE, or the feed's.

IANA's data wins over what a feed says of a zone with a known name; Windows has names of its own:
https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import icalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from calendar_guard import zones
from calendar_guard.ical.components import Component, Unreadable

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event's clock hangs; `zone` is the IANA name that its times are kept in."""

    clock: tzinfo
    zone: str

    def local(self, value: date) -> datetime:
        """A value of the feed on this clock, naive; a date is its midnight."""
        if not isinstance(value, datetime):
            return datetime.combine(value, time())
        if value.tzinfo is None:
            return value
        return value.astimezone(self.clock).replace(tzinfo=None)

    def kept(self, local: datetime) -> datetime:
        """This clock's time on the clock of `zone`."""
        if getattr(self.clock, "key", "") == self.zone:
            return local
        aware = local.replace(tzinfo=self.clock)
        return aware.astimezone(zones.find(self.zone)).replace(tzinfo=None)


class Places:
    def __init__(self, zone: str, timezones: dict[str, Component]) -> None:
        self.own = Place(zones.find(zone), zone)
        self._utc = Place(UTC, zone)
        self._timezones = timezones
        self._known: dict[str, Place] = {}

    def of(self, prop: Any, name: str) -> Place:
        """The place of a property with a time; a time in UTC has no TZID that counts."""
        value = prop.dts[0].dt if hasattr(prop, "dts") else prop.dt
        value = value[0] if isinstance(value, tuple) else value
        if getattr(value, "tzinfo", None) is not None:
            return self._utc
        tzid = str(prop.params.get("X-TZID", ""))
        if not tzid or not isinstance(value, datetime):
            return self.own
        if tzid not in self._known:
            self._known[tzid] = self._find(tzid, name)
        return self._known[tzid]

    def _find(self, tzid: str, name: str) -> Place:
        if tzid in _UTC_NAMES:
            return self._utc
        if iana := _iana(tzid):
            return Place(zones.find(iana), iana)
        if tzid in self._timezones:
            return Place(_build(self._timezones[tzid]), self.own.zone)
        raise Unreadable(f"{name} is in a time zone that is unknown here.")


def _iana(tzid: str) -> str:
    """`Europe/Berlin`, `W. Europe Standard Time`, `/vendor.example/Europe/Berlin`; else empty."""
    cleaned = tzid.strip("/")
    guesses = [cleaned, WINDOWS_TO_OLSON.get(cleaned, "")]
    if tzid.startswith("/"):
        parts = cleaned.split("/")
        guesses += ["/".join(parts[first:]) for first in range(1, len(parts))]
    return next((guess for guess in guesses if guess in zones.names()), "")


def _build(component: Component) -> tzinfo:
    rules = [line for line in component.lines if line.upper().startswith("RRULE")]
    try:
        if not all("FREQ=YEARLY" in rule.upper() for rule in rules):
            raise ValueError("a zone changes by year")
        timezone: Any = icalendar.Timezone.from_ical(component.text())
        built: tzinfo = timezone.to_tz(lookup_tzid=False)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Unreadable(f"The time zone given at line {component.line} makes no sense.") from error
    return built


def between_clocks(value: date, there: Place, here: Place) -> datetime:
    local = there.local(value)
    if there.clock is here.clock or not isinstance(value, datetime):
        return local
    return here.local(local.replace(tzinfo=there.clock))


def lasting(starts: datetime, span: timedelta, place: Place) -> datetime:
    """By the wall or in true hours, whichever ends later: they differ in the two DST nights."""
    begun = starts.replace(tzinfo=place.clock).astimezone(UTC)
    return max(starts + span, place.local(begun + span))
