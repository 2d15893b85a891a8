"""The doors of the guard: ask, be granted a permit, keep it alive, give it back or lose it.

Grants, renewals and calendar writes queue up one behind the other: every transaction here is
IMMEDIATE on SQLite, so what a judge has read cannot change before its permit is written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Q

import clock
from calendar_guard import rules, season, zones
from calendar_guard.models import LONGEST_MARGIN, Permit, Wedding
from calendar_guard.season import Context

__all__ = [
    "Context",
    "PermitWord",
    "Refused",
    "Renewal",
    "UnknownPermit",
    "check",
    "context",
    "give_back",
    "grant",
    "permits_in_force",
    "policy",
    "protected_spans",
    "renew",
    "revoke",
]

CALENDAR = "calendar"


class Refused(Exception):
    """The calendar said no; `verdict` says why and when it would say yes."""

    def __init__(self, verdict: rules.Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class UnknownPermit(LookupError):
    pass


@dataclass(frozen=True, slots=True)
class PermitWord:
    id: int
    run_id: str
    start: datetime
    end: datetime
    target: str
    label: str
    link: str
    verdict: rules.Verdict
    doing: str
    revoked_by: str
    revoked_why: str
    renewed_at: datetime


@dataclass(frozen=True, slots=True)
class Renewal:
    safe: bool
    verdict: rules.Verdict
    revoked_by: str = ""
    revoked_why: str = ""


def policy() -> rules.Policy:
    fields: dict[str, Any] = settings.WEDSYNC_GUARD
    chosen = rules.Policy(**fields)
    if not chosen.zones:
        raise ImproperlyConfigured(
            "WEDSYNC_ZONES names no zone, so no Saturday would be protected;"
            " name at least one, such as Europe/London."
        )
    return chosen


def check(*, start: datetime, duration: timedelta, now: datetime) -> rules.Verdict:
    """May a run of this length start then? A question only; ValueError if it makes no sense."""
    return rules.judge(calendar=_calendar(start, now), start=start, duration=duration, now=now)


def grant(
    *,
    start: datetime,
    duration: timedelta,
    target: str,
    label: str,
    link: str,
    run_id: str,
    now: datetime,
) -> PermitWord:
    """A permit for [start, start + duration); raises Refused."""
    with transaction.atomic():
        verdict = check(start=start, duration=duration, now=now)
        if not verdict.safe:
            raise Refused(verdict)
        permit = Permit.objects.create(
            run_id=run_id,
            starts_at=start,
            ends_at=start + duration,
            target=target,
            label=label,
            link=link,
            verdict=verdict.as_json(),
            granted_at=now,
            renewed_at=clock.real_now(),
        )
    return _word(permit)


def renew(*, permit_id: int, doing: str, now: datetime, until: datetime | None = None) -> Renewal:
    """Judge the rest of the run again and renew its lease, or revoke the permit.

    `until`, given once at the launch, moves the permit to [now, until). A permit outlives its end
    by the stop time, which was judged with it.
    """
    with transaction.atomic():
        permit = _find(permit_id)
        if permit.revoked_at or permit.given_back_at:
            return _refusal(permit)
        end = until or permit.ends_at
        remaining = max(end - now, timedelta(0))
        verdict = check(start=now, duration=remaining, now=now)
        why = "" if verdict.safe else verdict.blocked_by
        if now > end + policy().stop_time:
            why = "The time that was permitted is over"
        if why:
            return _revoke_by_calendar(permit, verdict, why, now)
        moved = {"starts_at": now, "ends_at": until} if until else {}
        Permit.objects.filter(pk=permit_id).update(
            doing=doing[:200], renewed_at=clock.real_now(), **moved
        )
    return Renewal(safe=True, verdict=verdict)


def revoke(*, permit_id: int, by: str, why: str, now: datetime) -> bool:
    """Take a permit away; False when it was already revoked or given back."""
    return _end(permit_id, revoked_at=now, revoked_by=by, revoked_why=why)


def give_back(*, permit_id: int, now: datetime) -> None:
    """The run is over. A permit that was revoked stays revoked."""
    _end(permit_id, given_back_at=now)


def permits_in_force(*, now: datetime) -> list[PermitWord]:
    """Who may be testing right now, the time of stopping included."""
    running = Permit.objects.filter(
        revoked_at=None,
        given_back_at=None,
        starts_at__lte=now,
        ends_at__gt=now - policy().stop_time,
    )
    return [_word(permit) for permit in running]


def context(*, now: datetime) -> Context:
    return season.describe(calendar=_calendar(now, now), now=now)


def protected_spans(*, start: datetime, end: datetime, now: datetime) -> tuple[rules.Blocker, ...]:
    """All that the calendar protects in [start, end), by start, without the buffers."""
    window = rules.Window(start, end)
    return rules.protected_spans(calendar=_calendar(start, now), window=window, now=now)


def _calendar(start: datetime, now: datetime) -> rules.Calendar:
    """The weddings that can still matter for `start`, or whose zone is in force at `now`."""
    try:
        since = min(zones.utc(start), zones.utc(now)) - rules.ZONE_STAYS - LONGEST_MARGIN
    except OverflowError:
        raise ValueError(f"{start.isoformat()} lies outside the calendar.") from None
    rows = Wedding.objects.exclude(status=Wedding.Status.CANCELLED).filter(
        Q(ends_at__gt=since) | Q(completed_at__gt=since) | Q(status=Wedding.Status.LIVE)
    )
    fields = ("id", "zone", "starts_at", "ends_at", "setup", "teardown", "status", "completed_at")
    weddings = rows.order_by().values_list(*fields)
    return rules.Calendar(policy(), tuple(rules.WeddingSpan(*row) for row in weddings))


def _find(permit_id: int) -> Permit:
    permit = Permit.objects.filter(pk=permit_id).first()
    if permit is None:
        raise UnknownPermit(f"There is no permit {permit_id}.")
    return permit


def _end(permit_id: int, **ending: object) -> bool:
    living = Permit.objects.filter(pk=permit_id, revoked_at=None, given_back_at=None)
    return living.update(**ending) == 1


def _revoke_by_calendar(permit: Permit, verdict: rules.Verdict, why: str, now: datetime) -> Renewal:
    """Inside the transaction that read the permit: nobody else can have been first."""
    _end(
        permit.pk,
        revoked_at=now,
        revoked_by=CALENDAR,
        revoked_why=why,
        verdict=verdict.as_json(),
    )
    return Renewal(safe=False, verdict=verdict, revoked_by=CALENDAR, revoked_why=why)


def _refusal(permit: Permit) -> Renewal:
    verdict = rules.verdict_from_json(permit.verdict)
    if permit.revoked_at:
        return Renewal(False, verdict, permit.revoked_by, permit.revoked_why)
    return Renewal(False, verdict, "run", "The permit was given back")


def _word(permit: Permit) -> PermitWord:
    return PermitWord(
        id=permit.pk,
        run_id=permit.run_id,
        start=permit.starts_at,
        end=permit.ends_at,
        target=permit.target,
        label=permit.label,
        link=permit.link,
        verdict=rules.verdict_from_json(permit.verdict),
        doing=permit.doing,
        revoked_by=permit.revoked_by,
        revoked_why=permit.revoked_why,
        renewed_at=permit.renewed_at,
    )
