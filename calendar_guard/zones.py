"""Local time and instants: IANA zones, the two DST nights, and how a person reads a time."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import tzdata


def find(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"{name!r} is not a known time zone; write an IANA name such as Europe/London."
        ) from None


@cache
def names() -> frozenset[str]:
    return frozenset(available_timezones())


def data_version() -> str:
    """Of the IANA data in use, such as 2026f: the settings read zones from the wheel `tzdata`."""
    return str(tzdata.IANA_VERSION)


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """What the clock on the wall shows, as ISO 8601 without an offset."""
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0).isoformat()


def utc(moment: datetime) -> datetime:
    """The same instant in UTC: arithmetic inside any other zone would follow the wall clock."""
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no offset, so it is no instant.")
    return moment.astimezone(UTC)


def earliest(local: datetime, zone: str) -> datetime:
    """The instant at which something starts: in a DST fold or gap the earlier reading."""
    return min(_readings(local, zone))


def latest(local: datetime, zone: str) -> datetime:
    """The instant at which something ends: in a DST fold or gap the later reading."""
    return max(_readings(local, zone))


def refuse_gap(local: datetime, zone: str) -> str:
    """Why the clocks there never show this time; empty where they do."""
    before, after = (moment.astimezone(find(zone)) for moment in _readings(local, zone))
    if before.replace(tzinfo=None) == local or after.replace(tzinfo=None) == local:
        return ""
    last, first = sorted((before, after))
    return (
        f"{local:%H:%M} does not exist in {city(zone)} on {local:%a} {local.day} {local:%b}"
        f" {local.year}: the clocks go forward over it. Write {last:%a %H:%M} or {first:%a %H:%M}."
    )


def _readings(local: datetime, zone: str) -> tuple[datetime, datetime]:
    aware = local.replace(tzinfo=find(zone))
    return aware.replace(fold=0).astimezone(UTC), aware.replace(fold=1).astimezone(UTC)


@lru_cache(maxsize=16_384)
def local_day(zone: str, day: date) -> tuple[datetime, datetime]:
    """First instant of a local calendar day, and the first after it (23 to 25 h, or more)."""
    midnight = datetime.combine(day, time())
    return earliest(midnight, zone), latest(midnight + timedelta(days=1), zone)


def spoken(moment: datetime, zone: str) -> str:
    """`Sat 13 Jun 2026, 14:00 Berlin (12:00 UTC)`; UTC's day is named where it is another."""
    local, instant = moment.astimezone(find(zone)), moment.astimezone(UTC)
    day = "" if local.date() == instant.date() else f"{instant:%a} {instant.day} {instant:%b}, "
    return (
        f"{local:%a} {local.day} {local:%b} {local.year}, {local:%H:%M} {city(zone)}"
        f" ({day}{instant:%H:%M} UTC)"
    )


def city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
