"""ISO 8601 durations and instants, read strictly: what is ambiguous is an error in words."""

import re
from datetime import UTC, datetime, timedelta

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,6})?)S)?)?)"
)


def parse_duration(text: str) -> timedelta:
    """Read `PT30M`, `P1DT2H`, `P2W`. Months and years have no fixed length and are refused."""
    match = _DURATION.fullmatch(text)
    parts = {unit: float(n) for unit, n in match.groupdict().items() if n} if match else {}
    if not parts:
        raise ValueError(f"{text!r} is not an ISO 8601 duration; write PT30M for 30 minutes.")
    try:
        return timedelta(**parts)
    except OverflowError:
        raise ValueError(f"{text!r} is longer than any test can be.") from None


def format_duration(span: timedelta) -> str:
    """Write a span as `P1DT2H30M`; zero is `PT0S`. Negative spans have no such form."""
    if span < timedelta(0):
        raise ValueError(f"A duration cannot be negative: {span}.")
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    date = f"{span.days}D" if span.days else ""
    second = f"{seconds}.{span.microseconds:06}".rstrip("0").rstrip(".")
    time = "".join(
        part
        for part, present in (
            (f"{hours}H", hours),
            (f"{minutes}M", minutes),
            (f"{second}S", second != "0"),
        )
        if present
    )
    return f"P{date}" + (f"T{time}" if time or not date else "") if date or time else "PT0S"


def parse_instant(text: str) -> datetime:
    """Read `2026-06-10T10:00:00+02:00` as UTC. An instant without an offset is refused."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        # A plus sign in a query string arrives as a space, the commonest slip with curl.
        hint = " (in a URL write + as %2B)" if " " in text.strip() else ""
        raise ValueError(
            f"{text!r} is not an instant with an offset; "
            f"write 2026-06-10T10:00:00+02:00 or 2026-06-10T08:00:00Z{hint}."
        )
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the calendar.") from None
