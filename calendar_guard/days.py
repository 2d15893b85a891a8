"""Protected weekdays in every zone in force: the only part of a verdict that rests on zone data."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from calendar_guard import zones
from calendar_guard.words import Calendar, Day, Days, Policy, Window

# A venue's Saturdays stay protected this long after its last wedding.
ZONE_STAYS = timedelta(days=7)
NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)


def zones_in_force(*, calendar: Calendar, now: datetime) -> set[str]:
    """Operating zones, and those of weddings to come or over for less than seven days."""
    return {*calendar.policy.zones, *calendar.venue_zones} | {
        wedding.zone
        for wedding in calendar.weddings
        if wedding.status != "cancelled" and now - wedding.lasts_until(now) < ZONE_STAYS
    }


def resolve(*, calendar: Calendar, outlook: Window, now: datetime) -> Days:
    """The protected days that touch the outlook, and the Monday mornings up to ten days after."""
    weekdays = frozenset(calendar.policy.protected_weekdays)
    found = zones_in_force(calendar=calendar, now=now)
    return Days(
        tuple(day for zone in sorted(found) for day in _protected(zone, weekdays, outlook)),
        tuple(_mornings(calendar.policy, outlook)),
    )


def _protected(zone: str, weekdays: frozenset[int], outlook: Window) -> Iterator[Day]:
    tz = zones.find(zone)
    # A day more on both sides: a fold or a gap at midnight widens the day beyond its date.
    first = outlook.start.astimezone(tz).date() - _DAY
    last = outlook.end.astimezone(tz).date() + _DAY
    for day in _dates(first, last, weekdays):
        begins, ends = zones.local_day(zone, day)
        if begins < outlook.end and outlook.start < ends:
            yield Day(NAMES[day.weekday()], zone, begins, ends)


def _mornings(policy: Policy, outlook: Window) -> Iterator[datetime]:
    first = outlook.start.astimezone(zones.find(policy.home_zone)).date() - _DAY
    for day in _dates(first, outlook.end.date() + 10 * _DAY, {0}):
        yield zones.earliest(datetime.combine(day, time(policy.monday_hour)), policy.home_zone)


def _dates(first: date, last: date, weekdays: Iterable[int]) -> Iterator[date]:
    for weekday in weekdays:
        day = first + (weekday - first.weekday()) % 7 * _DAY
        while day <= last:
            yield day
            day += 7 * _DAY
