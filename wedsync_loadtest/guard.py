"""The guard's policy from the environment: set where the product is installed, never in a page.

So nobody with a log-in can unprotect a Saturday (docs/decisions/0009).
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

from clock.iso import parse_duration
from wedsync_loadtest import environment

Read = TypeVar("Read")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORTEST_HORIZON, LONGEST_HORIZON = timedelta(days=7), timedelta(days=180)


def policy() -> dict[str, Any]:
    """The fields of calendar_guard.rules.Policy. Raises ImproperlyConfigured with the next step."""
    zones = environment.zones("WEDSYNC_ZONES", "Europe/London")
    home = environment.zones("WEDSYNC_HOME_ZONE", zones[0] if zones else "Europe/London")
    return {
        "zones": zones,
        "home_zone": home[0],
        "protected_weekdays": _read("WEDSYNC_PROTECTED_WEEKDAYS", "saturday", weekdays),
        "buffer": _read("WEDSYNC_BUFFER", "PT15M", _buffer),
        "monday_hour": _read("WEDSYNC_MONDAY_HOUR", "8", _hour),
        "horizon": _read("WEDSYNC_HORIZON", "P56D", _horizon),
        "season": _read("WEDSYNC_SEASON", "5-10", season),
    }


def weekdays(text: str) -> tuple[int, ...]:
    """`friday,saturday` as date.weekday() numbers; at least one."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not names or not set(names) <= set(WEEKDAYS):
        raise ValueError("name at least one day, such as saturday or friday,saturday")
    return tuple(sorted({WEEKDAYS.index(name) for name in names}))


def season(text: str) -> tuple[int, ...]:
    """`5-10` as months; `11-4` goes over the year's end, for the southern hemisphere."""
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise ValueError("write its first and last month, such as 5-10, or 11-4 in the south")
    begins, ends = int(first), int(last)
    if not (1 <= begins <= 12 and 1 <= ends <= 12):
        raise ValueError("months go from 1 to 12")
    return tuple((begins - 1 + n) % 12 + 1 for n in range((ends - begins) % 12 + 1))


def _buffer(text: str) -> timedelta:
    span = parse_duration(text)
    if span > timedelta(hours=12):
        raise ValueError("12 hours is the longest")
    return span


def _hour(text: str) -> int:
    if not (text.isdecimal() and int(text) < 24):
        raise ValueError("write an hour from 0 to 23")
    return int(text)


def _horizon(text: str) -> timedelta:
    span = parse_duration(text)
    if not SHORTEST_HORIZON <= span <= LONGEST_HORIZON:
        raise ValueError("between P7D and P180D")
    return span


def _read(name: str, default: str, parse: Callable[[str], Read]) -> Read:
    text = os.environ.get(name) or default
    try:
        return parse(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {text!r}: {error}") from None
