"""The doors of the guard: ask, be granted a permit, keep it alive, give it back or lose it.

And the doors of the calendar: what protects, what is safe, and every write.
"""

from datetime import datetime, timedelta

from calendar_guard import reading, rules, season, zones
from calendar_guard.active import ActiveWedding, CoordinatorWord, active_weddings
from calendar_guard.declaring import attest, lift_hold, place_hold
from calendar_guard.permits import (
    PermitWord,
    Refused,
    Renewal,
    UnknownPermit,
    give_back,
    grant,
    move,
    permits_in_force,
    renew,
    revoke,
    revoked,
)
from calendar_guard.reading import policy
from calendar_guard.replay import Question
from calendar_guard.season import Context
from calendar_guard.standing import FeedWord, Freshness, HoldWord, freshness, holds
from calendar_guard.writing import Invalid


def check(*, start: datetime, duration: timedelta, now: datetime) -> rules.Verdict:
    """May a run of this length start then? A question only; ValueError if it makes no sense."""
    _, verdict = reading.question(Question(start, duration, now))
    return verdict


def context(*, now: datetime) -> Context:
    window = rules.Window(now - season.NEAR, now + season.NEAR)
    return season.describe(calendar=reading.calendar(window, now), now=now)


def protected_spans(*, start: datetime, end: datetime, now: datetime) -> tuple[rules.Blocker, ...]:
    """All that the calendar protects in [start, end), by start, without the buffers."""
    window = rules.Window(zones.utc(start), zones.utc(end))
    return rules.protected_spans(calendar=reading.calendar(window, now), window=window, now=now)


def windows(
    *, start: datetime, end: datetime, duration: timedelta, now: datetime
) -> tuple[rules.Window, ...]:
    """Every safe window in [start, end) that a run of this length fits into."""
    window = rules.Window(zones.utc(start), zones.utc(end))
    known = reading.merged(window, now)
    return rules.windows(calendar=known, window=window, duration=duration, now=now)


def heat_map(*, start: datetime, end: datetime, now: datetime) -> tuple[float, ...]:
    """For each hour from `start`, the share of it in which a run may be under way: 0 to 1."""
    window = rules.Window(zones.utc(start), zones.utc(end))
    return rules.heat_map(calendar=reading.merged(window, now), window=window, now=now)
