"""When a schedule starts: once, or by a rule on the clock of its zone. Pure.

A rule is RFC 5545's RRULE without seconds: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10.
A local time that the clocks leave out is read with the offset before the gap, one that they show
twice is the first of the two, as the RFC has it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_WORDS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYDAY", "BYHOUR", "BYMINUTE"}
# With a shorter frequency they could make a rule whose search takes minutes to find nothing.
_OF_LONG_ONES = {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"}


class BadRule(ValueError):
    """The rule cannot be read; the sentence says what to write."""


class BadZone(ValueError):
    """Nobody knows this time zone."""


def next_start(*, rule: str, starts_at: datetime, zone: str, after: datetime) -> datetime | None:
    """The first start later than `after`, in UTC; None when there is none any more.

    Without a rule it is `starts_at`, once. What was missed is not made up for: one start is asked
    for, and it is the next. Raises BadRule or BadZone.
    """
    found = find_zone(zone)
    if not rule:
        return starts_at.astimezone(UTC) if starts_at > after else None
    return next(_starts(rule, starts_at, found, after), None)


def check_rule(*, rule: str, starts_at: datetime, zone: str) -> None:
    """Raise BadRule or BadZone with a sentence unless the rule starts something at least once."""
    before = starts_at - timedelta(microseconds=1)
    if next_start(rule=rule, starts_at=starts_at, zone=zone, after=before) is None:
        raise BadRule(f"{rule!r} never comes; try it with fewer parts.")


def find_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise BadZone(
            f"{name!r} is not a known time zone; write an IANA name such as Europe/London."
        ) from None


def _starts(rule: str, starts_at: datetime, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    wall = starts_at.astimezone(zone).replace(tzinfo=None)
    # A wall clock differs from UTC by less than a day, whatever the zone does.
    since = max(wall, _naive(after) - timedelta(days=1))
    for local in _read(rule, wall, zone).xafter(since, inc=True):
        start = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if start > after:
            yield start


def _read(rule: str, wall: datetime, zone: ZoneInfo) -> rrule:
    parts = _parts(rule)
    until = _until(parts.pop("UNTIL"), zone) if "UNTIL" in parts else None
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        read = rrulestr(text, dtstart=wall)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError):
        raise BadRule(
            f"{rule!r} cannot be read; write something like FREQ=WEEKLY;BYDAY=TU,WE;BYHOUR=10."
        ) from None
    assert isinstance(read, rrule)  # noqa: S101 - one line without dates is never a set
    return read.replace(until=until) if until else read


def _parts(rule: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in rule.strip().upper().removeprefix("RRULE:").split(";")]
    parts = {name: value for name, _, value in pairs}
    if len(parts) < len(pairs) or not all(parts.values()):
        raise BadRule(f"{rule!r} cannot be read; write NAME=VALUE once each, with ; between.")
    if parts.get("FREQ") not in _FREQUENCIES:
        raise BadRule(f"A rule begins with FREQ=, which is one of {', '.join(_FREQUENCIES)}.")
    is_long = parts["FREQ"] in {"YEARLY", "MONTHLY"}
    known = _WORDS | _OF_LONG_ONES if is_long else _WORDS
    if unknown := sorted(set(parts) - known):
        said = f"known with FREQ={parts['FREQ']} are {', '.join(sorted(known))}"
        raise BadRule(f"{unknown[0]} is no word of this rule; {said}.")
    _check_numbers(parts)
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRule("A rule ends by COUNT or by UNTIL, not by both.")
    return parts


def _check_numbers(parts: dict[str, str]) -> None:
    for name, most in (("INTERVAL", 10_000), ("COUNT", 10_000), ("BYMONTH", 12)):
        for value in parts.get(name, "1").split(","):
            if not (value.isascii() and value.isdecimal() and 1 <= int(value[:10]) <= most):
                raise BadRule(f"{name} is a whole number from 1 to {most}, not {value!r}.")


def _until(text: str, zone: ZoneInfo) -> datetime:
    """The last moment on the wall; a day alone counts to its end."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRule(
            f"UNTIL={text} is no moment; write UNTIL=20261231 or UNTIL=20261231T170000Z."
        ) from None
    if "T" not in text:
        moment += timedelta(days=1, microseconds=-1)
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
