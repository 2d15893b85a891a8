"""Who coordinates which wedding, and how they are reached: every write remembered beside them.

The audit log gets ids only. Names, numbers and addresses stay in `Change`, beside each wedding.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from audit import services as audit
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Change, Coordinator, Wedding
from calendar_guard.writing import BATCH

FACTS = ("name", "email", "phone", "slack_id", "language")

_Names = dict[int, str]


def save_people(*, people: Iterable[Coordinator], by: str, now: datetime) -> None:
    """Save those who are new or can be reached otherwise; the new ones get their ids.

    Write weddings before: a test that they stop takes its permit before the audit log.
    """
    with calendar_lock():
        told = list(people)
        known = Coordinator.objects.in_bulk([person.pk for person in told if person.pk])
        fresh = [person for person in told if not person.pk]
        changed = [
            person for person in told if person.pk in known and _differ(known[person.pk], person)
        ]
        if not fresh and not changed:
            return
        Coordinator.objects.bulk_create(fresh, batch_size=BATCH)
        Coordinator.objects.bulk_update(changed, FACTS, batch_size=BATCH)
        _keep(_told(known, changed, by, now))
        ids = {"added": [one.pk for one in fresh], "changed": [one.pk for one in changed]}
        _record(ids, by, now)


def remove_people(*, ids: Collection[int], by: str, now: datetime) -> None:
    """Their weddings stay, and remember who it was."""
    with calendar_lock():
        theirs = Wedding.objects.filter(coordinators__in=ids)
        old = people_of(theirs.values_list("pk", flat=True))
        Coordinator.objects.filter(pk__in=ids).delete()
        note_people(old=old, by=by, now=now)
        _record({"removed": sorted(ids)}, by, now)


def set_people(*, people: Mapping[int, Iterable[Coordinator]], by: str, now: datetime) -> None:
    """Who coordinates which wedding, by its id, in a fixed number of queries."""
    with calendar_lock():
        through, old = Wedding.coordinators.through, people_of(people)
        pairs = {(pk, person.pk) for pk, group in people.items() for person in group}
        through.objects.filter(wedding__in=people).delete()
        through.objects.bulk_create(
            [through(wedding_id=pk, coordinator_id=person) for pk, person in sorted(pairs)],
            batch_size=BATCH,
        )
        note_people(old=old, by=by, now=now)


def people_of(weddings: Iterable[int]) -> dict[int, _Names]:
    """By wedding, their names by id."""
    found: dict[int, _Names] = {pk: {} for pk in weddings}
    rows = Coordinator.objects.filter(weddings__in=found)
    for wedding, pk, name in rows.values_list("weddings", "pk", "name"):
        found[wedding][pk] = name
    return found


def note_people(*, old: Mapping[int, _Names], by: str, now: datetime) -> None:
    """Remember that coordinators were others; `old` as `people_of` gave it before."""
    new = people_of(old)
    _keep(
        Change(
            wedding_id=pk, at=now, by=by, field="coordinators", old=_list(was), new=_list(new[pk])
        )
        for pk, was in old.items()
        if was.keys() != new[pk].keys()
    )


def _told(
    known: Mapping[int, Coordinator], changed: Sequence[Coordinator], by: str, now: datetime
) -> Iterator[Change]:
    """Each fact that is another now, beside every wedding that the person coordinates."""
    told = {person.pk: person for person in changed}
    pairs = Wedding.coordinators.through.objects.filter(coordinator__in=told)
    for wedding, pk in pairs.order_by("pk").values_list("wedding_id", "coordinator_id"):
        for fact in _differ(known[pk], told[pk]):
            old, new = (f"{known[pk].name}: {getattr(one, fact)}" for one in (known[pk], told[pk]))
            field = f"coordinator’s {fact.replace('_', ' ')}"
            yield Change(wedding_id=wedding, at=now, by=by, field=field, old=old, new=new)


def _differ(old: Coordinator, new: Coordinator) -> list[str]:
    return [fact for fact in FACTS if getattr(old, fact) != getattr(new, fact)]


def _keep(changes: Iterable[Change]) -> None:
    Change.objects.bulk_create(changes, batch_size=BATCH)


def _record(ids: dict[str, Any], by: str, now: datetime) -> None:
    audit.record(action="calendar", actor=by, subject="coordinators", data=ids, now=now)


def _list(names: _Names) -> str:
    return ", ".join(names.values())
