"""Every write to the calendar: one at a time, remembered, stopping the tests that it forbids.

The audit log gets ids and instants. What may be a name stays in `Change`, beside its wedding.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from operator import ne
from typing import Any

from django.db.models import F, Model, Q, QuerySet

from audit import services as audit
from calendar_guard import permits, zones
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Change, Revision, Wedding
from calendar_guard.permits import PermitWord

BATCH = 500
_KEPT = (
    *("title", "venue", "zone", "wall_start", "wall_end", "setup", "teardown"),
    *("status", "completed_at", "guests", "notes"),
)
_SAYS_WHEN = ("status", "starts_at", "setup")
_WRITTEN = [field.name for field in Wedding._meta.concrete_fields if not field.primary_key]


class Invalid(ValueError):
    """What was asked cannot be kept; `field` is the word that is wrong, `errors` says why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.errors = field, {field: sentence}


def write_weddings(
    *, save: Sequence[Wedding] = (), delete: Collection[int] = (), by: str, now: datetime
) -> list[PermitWord]:
    """Save and delete in one transaction; the tests that this stopped, scheduled ones too.

    Without a limit of its own: whoever writes thousands cuts them into pieces of `BATCH`, so that
    a test's renewal, once a second, need not wait long. New weddings get their ids; those that are
    gone already stay gone. Raises Invalid for one that is live or completed too early.
    """
    with calendar_lock():
        known = Wedding.objects.in_bulk([wedding.pk for wedding in save if wedding.pk])
        save = [wedding for wedding in save if not wedding.pk or wedding.pk in known]
        for wedding in save:
            _settle(wedding, known.get(wedding.pk), now)
        Wedding.objects.bulk_create([wedding for wedding in save if not wedding.pk])
        # In place of bulk_update, whose CASE for each value takes ten times as long.
        Wedding.objects.bulk_create(
            [wedding for wedding in save if wedding.pk in known],
            update_conflicts=True,
            update_fields=_WRITTEN,
            unique_fields=["id"],
            batch_size=BATCH,
        )
        _remember(save, known, by, now)
        gone = sorted(delete)
        Wedding.objects.filter(pk__in=gone).delete()
        facts = {"saved": [_facts(wedding) for wedding in save], "deleted": gone}
        return written("weddings", facts, by, now)


def follow_zone_data(*, now: datetime) -> int:
    """Read the local times of weddings to come with new zone data; how many moved."""
    # A cancelled one guards nothing, but may be confirmed again.
    ahead = Wedding.objects.filter(Q(guarded_until__gt=now) | Q(ends_at__gt=now))
    moved, old = 0, ahead.exclude(zone_data=zones.data_version())
    while old.exists():
        moved += _follow(old.order_by("pk")[:BATCH], now)
    return moved


def _follow(weddings: QuerySet[Wedding], now: datetime) -> int:
    """One short transaction. The rows are read under the lock: a person may be at work on them."""
    with calendar_lock():
        batch = list(weddings)
        before = [(wedding.starts_at, wedding.ends_at) for wedding in batch]
        write_weddings(save=batch, by=f"zone data {zones.data_version()}", now=now)
        after = [(wedding.starts_at, wedding.ends_at) for wedding in batch]
        return sum(map(ne, before, after))


def check_status(wedding: Wedding, known: Wedding | None, now: datetime) -> None:
    """Raises Invalid where a wedding is live or completed, or moved ahead as that, too early."""
    status = wedding.status
    if known and all(getattr(wedding, name) == getattr(known, name) for name in _SAYS_WHEN):
        return
    if status == Wedding.Status.COMPLETED and not wedding.may_be_over(now):
        said = "It has not begun, so it cannot be completed; cancel it if it is called off."
        raise Invalid("status", said)
    if status == Wedding.Status.LIVE and not wedding.may_go_on(now):
        said = "Its set-up has not begun, so it cannot be live; call it confirmed until then."
        if known and known.status == Wedding.Status.LIVE and known.may_go_on(now):
            said = "It is live, so neither it nor its set-up moves ahead; complete it when over."
        raise Invalid("status", said)


def _settle(wedding: Wedding, known: Wedding | None, now: datetime) -> None:
    check_status(wedding, known, now)
    if known:
        wedding.keep_local_times(known)
    wedding.completed_at = _completed_at(wedding, known, now)
    wedding.settle()


def _completed_at(wedding: Wedding, known: Wedding | None, now: datetime) -> datetime | None:
    """When a wedding that is completed now was over: at the pressing, whatever was planned.

    One that nobody called live and that protects nothing any more was over as planned, so what is
    entered afterwards stops no test.
    """
    if wedding.status != Wedding.Status.COMPLETED:
        return None
    was_live = known is not None and known.status == Wedding.Status.LIVE
    forgotten = not was_live and wedding.ends_at + wedding.teardown <= now
    return wedding.completed_at or (wedding.ends_at if forgotten else now)


def _remember(save: Sequence[Wedding], known: dict[int, Wedding], by: str, now: datetime) -> None:
    changes = []
    for wedding in save:
        old = known.get(wedding.pk)
        pairs = [(name, _text(old, name), _text(wedding, name)) for name in _KEPT if old]
        for name, before, after in pairs or [("wedding", "", "added")]:
            if before != after:
                changes.append(
                    Change(wedding=wedding, at=now, by=by, field=name, old=before, new=after)
                )
    Change.objects.bulk_create(changes, batch_size=BATCH)


def _text(wedding: Model | None, name: str) -> str:
    value: Any = getattr(wedding, name)
    return "" if value is None else str(value)


def _facts(wedding: Wedding) -> dict[str, Any]:
    span = {"from": wedding.guarded_from, "until": wedding.guarded_until}
    return {"id": wedding.pk, "status": str(wedding.status), **span}


def written(subject: str, facts: dict[str, Any], by: str, now: datetime) -> list[PermitWord]:
    """Inside the lock: count the write, keep it, and stop the tests that it forbids."""
    Revision.objects.get_or_create(pk=1)
    Revision.objects.filter(pk=1).update(number=F("number") + 1)
    stopped = permits.revoke_what_is_forbidden(by=by, now=now)
    facts = facts | {"stopped": [permit.id for permit in stopped]}
    audit.record(action="calendar", actor=by, subject=subject, data=facts, now=now)
    return stopped
