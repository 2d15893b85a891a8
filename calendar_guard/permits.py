"""A yes is a row: granted once, renewed every second, revoked by whoever stops a test.

Every verdict that let a run begin or stopped it is kept in the audit log, to be replayed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

import clock
from audit import services as audit
from calendar_guard import replay, rules
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Permit, Revision
from calendar_guard.reading import policy, question

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


def grant(
    *,
    start: datetime,
    duration: timedelta,
    target: str,
    label: str,
    link: str,
    run_id: str,
    by: str,
    now: datetime,
) -> PermitWord:
    """A permit for [start, start + duration); raises Refused, whose verdict is kept as well.

    A caller that has a transaction of its own must not roll it back on Refused.
    """
    with calendar_lock():
        verdict = _ask(replay.Question(start, duration, now), by=by, run_id=run_id)
        if verdict.safe:
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
    if not verdict.safe:
        raise Refused(verdict)
    return word(permit)


def renew(*, permit_id: int, doing: str, now: datetime, until: datetime | None = None) -> Renewal:
    """Judge the rest of the run again and renew its lease, or revoke the permit.

    `until`, given once at the launch, moves the permit to [now, until), which a calendar that is
    not known to be complete forbids. A permit outlives its end by the stop time, which was judged
    with it.
    """
    launch = until is not None
    with calendar_lock() if launch else transaction.atomic():
        permit = _find(permit_id)
        if permit.revoked_at or permit.given_back_at:
            return _refusal(permit)
        end = until or permit.ends_at
        renewal = _judge_rest(permit, end, now, launch=launch)
        if renewal.safe:
            moved = {"starts_at": now, "ends_at": until} if until else {}
            facts = {"doing": doing[:200], "renewed_at": clock.real_now(), **moved}
            if not _set_living(permit_id, **facts):
                return _refusal(_find(permit_id))
    return renewal


def move(*, permit_id: int, start: datetime, duration: timedelta, now: datetime) -> Renewal:
    """Judge a permit that was not used yet for another time: it moves there, or is revoked."""
    with calendar_lock():
        permit = _find(permit_id)
        if permit.revoked_at or permit.given_back_at:
            return _refusal(permit)
        verdict = _ask(replay.Question(start, duration, now), by=CALENDAR, run_id=permit.run_id)
        if not verdict.safe:
            return _revoke_by_calendar(permit, verdict, verdict.blocked_by, now)
        moved = {"starts_at": start, "ends_at": start + duration}
        _set_living(permit_id, **moved, verdict=verdict.as_json(), renewed_at=clock.real_now())
        return Renewal(safe=True, verdict=verdict)


def revoke_what_is_forbidden(*, by: str, now: datetime) -> list[PermitWord]:
    """After a calendar write, in its transaction: stop the tests that it forbids."""
    stopped = []
    for permit in _in_force(now).select_for_update().order_by("pk"):
        if not _judge_rest(permit, permit.ends_at, now, launch=False, by=by).safe:
            stopped.append(word(permit))
    return stopped


def _judge_rest(
    permit: Permit, end: datetime, now: datetime, *, launch: bool, by: str = CALENDAR
) -> Renewal:
    begin = max(now, permit.starts_at) if not launch else now
    rest = max(end - begin, timedelta(0))
    asked = replay.Question(begin, rest, now)
    known, verdict = question(asked, launch=launch)
    why = "" if verdict.safe else verdict.blocked_by
    if now > end + policy().stop_time:
        why = "The time that was permitted is over"
    if launch or why:
        _keep(asked, known, verdict, by=by, run_id=permit.run_id)
    if why:
        return _revoke_by_calendar(permit, verdict, why, now)
    return Renewal(safe=True, verdict=verdict)


def revoke(*, permit_id: int, by: str, why: str, now: datetime) -> bool:
    """Take a permit away; False when it was already revoked or given back."""
    with transaction.atomic():
        if not _set_living(permit_id, revoked_at=now, revoked_by=by, revoked_why=why):
            return False
        audit.record(
            action="revoke", actor=by, subject=f"permit {permit_id}", data={"why": why}, now=now
        )
        return True


def give_back(*, permit_id: int, now: datetime) -> None:
    """The run is over. A permit that was revoked stays revoked."""
    _set_living(permit_id, given_back_at=now)


def permits_in_force(*, now: datetime) -> list[PermitWord]:
    """Who may be testing right now, the time of stopping included."""
    return [word(permit) for permit in _in_force(now) if permit.starts_at <= now]


def revoked(*, permit_ids: Collection[int]) -> list[PermitWord]:
    """Which of these were taken away, with who did it and why."""
    found = Permit.objects.filter(pk__in=permit_ids).exclude(revoked_at=None)
    return [word(permit) for permit in found]


def asked_by(*, run_id: str) -> str:
    """Who asked for a run, as the audit log has it; empty where it has nobody."""
    kept = audit.entries(action="verdict", subject=f"run {run_id}")
    return kept[-1].actor if kept else ""


def _in_force(now: datetime) -> QuerySet[Permit]:
    """Permits that may still be used, those that begin later included."""
    return Permit.objects.filter(
        revoked_at=None, given_back_at=None, ends_at__gt=now - policy().stop_time
    )


def _ask(asked: replay.Question, *, by: str, run_id: str) -> rules.Verdict:
    """Judged, and kept in the audit log."""
    known, verdict = question(asked)
    _keep(asked, known, verdict, by=by, run_id=run_id)
    return verdict


def _keep(
    asked: replay.Question, known: rules.Calendar, verdict: rules.Verdict, *, by: str, run_id: str
) -> None:
    """In the audit log, with all that it rested on."""
    revision = Revision.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    data = replay.keep(asked, known, verdict, calendar_version=revision)
    audit.record(action="verdict", actor=by, subject=f"run {run_id}", data=data, now=asked.now)


def _find(permit_id: int) -> Permit:
    """Held until the transaction ends: every way to stop takes the permit before the audit log."""
    permit = Permit.objects.select_for_update().filter(pk=permit_id).first()
    if permit is None:
        raise UnknownPermit(f"There is no permit {permit_id}.")
    return permit


def _set_living(permit_id: int, **facts: object) -> bool:
    living = Permit.objects.filter(pk=permit_id, revoked_at=None, given_back_at=None)
    return living.update(**facts) == 1


def _revoke_by_calendar(permit: Permit, verdict: rules.Verdict, why: str, now: datetime) -> Renewal:
    """Inside the transaction that read the permit: nobody else can have been first."""
    _set_living(
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


def word(permit: Permit) -> PermitWord:
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
