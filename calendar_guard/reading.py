"""The calendar's rows as a judge's words, and never more rows than the question needs."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F, Max, Q, QuerySet, RowRange
from django.db.models import Window as Over

from calendar_guard import rules, zones
from calendar_guard.days import ZONE_STAYS
from calendar_guard.models import LONGEST_PROTECTION, Attestation, Feed, Hold, Wedding
from calendar_guard.models.feeds import SKEW
from calendar_guard.replay import Question

_SPAN = ("id", "zone", "starts_at", "ends_at", "setup", "teardown", "status", "completed_at")
# The zones with a wedding that matters, by one look into the index for each zone there is.
_ZONES = """
WITH RECURSIVE known(zone) AS (
    SELECT MIN(zone) FROM calendar_guard_wedding
    UNION ALL
    SELECT (SELECT MIN(zone) FROM calendar_guard_wedding WHERE zone > known.zone)
    FROM known WHERE known.zone IS NOT NULL)
SELECT zone FROM known WHERE zone IS NOT NULL AND EXISTS (
    SELECT 1 FROM calendar_guard_wedding AS wedding
    WHERE wedding.zone = known.zone AND wedding.over_at > %s)
"""


def policy() -> rules.Policy:
    fields: dict[str, Any] = settings.WEDSYNC_GUARD
    chosen = rules.Policy(**fields)
    if not chosen.zones:
        raise ImproperlyConfigured(
            "WEDSYNC_ZONES names no zone, so no Saturday would be protected;"
            " name at least one, such as Europe/London."
        )
    return chosen


def calendar(window: rules.Window, now: datetime, *, launch: bool = True) -> rules.Calendar:
    """All that touches the window, one by one. A test that runs already needs no fresh feeds."""
    return _known(window, _holds(window), (), now, launch=launch)


def question(asked: Question, *, launch: bool = True) -> tuple[rules.Calendar, rules.Verdict]:
    """Judge, with no more of the calendar than the verdict rests on.

    A yes needs what touches the run, and the first wedding after it; all of them only a no.
    """
    start, duration, now = zones.utc(asked.start), asked.duration, asked.now
    try:
        judged, outlook = rules.judged_and_outlook(policy(), start, duration)
        first = _first_ahead(judged.end)
        known = _known(judged, _holds(outlook), first, now, launch=launch)
    except OverflowError:
        raise ValueError(f"{start.isoformat()} lies outside the calendar.") from None
    verdict = rules.judge(calendar=known, start=start, duration=duration, now=now)
    if not verdict.safe or verdict.next_safe_window is None:
        known = replace(known, ahead=ahead(outlook))
        verdict = rules.judge(calendar=known, start=start, duration=duration, now=now)
    return known, verdict


def merged(window: rules.Window, now: datetime) -> rules.Calendar:
    """What protects anything in or beside the window, for questions that need no names."""
    wide = policy().around(window)
    begin = rules.Window(wide.start, wide.start)
    return _known(begin, _holds(wide), ahead(wide), now, launch=True)


def rows_near(now: datetime) -> list[tuple[Any, ...]]:
    """The judge's facts of every wedding that may be protected now."""
    return _rows(rules.Window(now, now + timedelta(microseconds=1)))


def ahead(window: rules.Window) -> tuple[rules.Window, ...]:
    """What weddings protect in the window, merged by the database; live ones left out."""
    rows = _guarding(window)
    reach = Over(
        Max("guarded_until"),
        order_by=[F("guarded_from").asc(), F("id").asc()],
        frame=RowRange(end=-1),
    )
    begun = (
        rows.annotate(reach=reach)
        .filter(Q(reach=None) | Q(reach__lt=F("guarded_from")))
        .order_by("guarded_from")
        .values_list("guarded_from", "reach")
    )
    islands = list(begun)
    if not islands:
        return ()
    last = rows.aggregate(last=Max("guarded_until"))["last"]
    ends = [*(reach for _, reach in islands[1:]), last]
    spans = (rules.Window(start, end) for (start, _), end in zip(islands, ends, strict=True))
    return tuple(span for span in spans if span.start < span.end)


def completeness(now: datetime) -> tuple[datetime | None, str]:
    """Until when all weddings are known, and which feed's trouble it is; None without feeds."""
    feeds = [(feed.complete_until(now), feed) for feed in Feed.objects.filter(is_active=True)]
    if not feeds:
        return None, ""
    until, feed = min(feeds, key=lambda pair: pair[0])
    why = feed.trouble(now)
    said = f"feed {feed.pk}: {why}" if why else f"feed {feed.pk} tells no more"
    attested = attested_until(now)
    if attested is not None and attested > until:
        return attested, f"confirmed by a coordinator until then; {said}"
    return until, said


def attested_until(now: datetime) -> datetime | None:
    """How far a coordinator's word reaches; one that a false clock dated ahead is none yet."""
    given = Attestation.objects.filter(until__gt=now, at__lte=now + SKEW)
    last: datetime | None = given.aggregate(last=Max("until"))["last"]
    return last


def _known(
    window: rules.Window,
    holds: tuple[rules.HoldSpan, ...],
    ahead: tuple[rules.Window, ...],
    now: datetime,
    *,
    launch: bool,
) -> rules.Calendar:
    complete_until, why = completeness(now) if launch else (None, "")
    return rules.Calendar(
        policy=policy(),
        weddings=tuple(rules.WeddingSpan(*row) for row in _rows(window)),
        holds=holds,
        ahead=ahead,
        venue_zones=venue_zones(now),
        complete_until=complete_until,
        incomplete_why=why,
    )


def _rows(window: rules.Window) -> list[tuple[Any, ...]]:
    return [
        *_guarding(window).values_list(*_SPAN),
        *Wedding.objects.filter(status=Wedding.Status.LIVE).order_by().values_list(*_SPAN),
    ]


def _holds(window: rules.Window) -> tuple[rules.HoldSpan, ...]:
    rows = Hold.objects.filter(
        lifted_at=None, starts_at__lt=window.end, ends_at__gt=window.start
    ).values_list("id", "starts_at", "ends_at")
    return tuple(rules.HoldSpan(*row) for row in rows)


def _guarding(window: rules.Window) -> QuerySet[Wedding]:
    return (
        Wedding.objects.filter(
            guarded_from__gt=window.start - LONGEST_PROTECTION,
            guarded_from__lt=window.end,
            guarded_until__gt=window.start,
        )
        .exclude(status=Wedding.Status.LIVE)
        .order_by()
    )


def _first_ahead(end: datetime) -> tuple[rules.Window, ...]:
    first = (
        Wedding.objects.filter(guarded_from__gte=end, guarded_until__gt=F("guarded_from"))
        .exclude(status=Wedding.Status.LIVE)
        .order_by("guarded_from")
        .values_list("guarded_from", "guarded_until")
        .first()
    )
    return (rules.Window(*first),) if first else ()


def venue_zones(now: datetime) -> tuple[str, ...]:
    """Those of weddings to come or over for less than seven days."""
    since = connection.ops.adapt_datetimefield_value(now - ZONE_STAYS)
    with connection.cursor() as cursor:
        cursor.execute(_ZONES, [since])
        return tuple(zone for (zone,) in cursor.fetchall())
