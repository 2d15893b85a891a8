"""Weddings in words, kept: listed, put, changed and removed.

A wedding with a `uid` is put again under the same source, so an import can be repeated. What a
person said at the venue stands: an import that calls a live wedding confirmed does not end it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from calendar_guard import writing, zones
from calendar_guard.lock import calendar_lock, taken_back
from calendar_guard.models import Coordinator, Wedding
from calendar_guard.permits import PermitWord
from calendar_guard.weddings import drafts
from calendar_guard.weddings.drafts import Draft, Errors, Written, WrongWeddings
from calendar_guard.weddings.facts import (
    WORDS,
    WeddingFacts,
    WrongWords,
    facts_of,
    read_wedding,
    write_kept,
)

_FEEDS = "feed "
_FEEDS_OWN = "Sources called “feed …” are those of calendars that are read; choose another name."


class UnknownWedding(LookupError):
    pass


class NotNow(ValueError):
    """A wedding cannot go on, or be over, before it has begun; nor end by being written over."""


def put_weddings(
    *,
    facts: Sequence[WeddingFacts],
    by: str,
    now: datetime,
    may_change_people: bool = False,
    ids: Sequence[int | None] = (),
) -> Written:
    """Make each, or change the one with its source and uid, by the words that were given.

    All or nothing, in one transaction; what is as it was is not written. Raises WrongWeddings;
    NotTheirs for news of a known coordinator from who may not change people. `ids`, if there are
    any one for each, name weddings by their number instead.
    """
    with calendar_lock():
        errors: Errors = {}
        numbered = _numbered(ids, errors)
        facts = [_identified(words, numbered.get(index)) for index, words in enumerate(facts)]
        errors = _twice(facts) | errors
        known = _known(facts)
        put = []
        for index, words in enumerate(facts):
            wedding = numbered.get(index) or known.get((words.source, words.uid)) or Wedding()
            put.append(Draft(wedding, _standing(wedding, words, now)))
            if index in numbered and (refusal := _refuse_identity(wedding, words)):
                errors[index] = refusal[0]
            elif not wedding.pk and words.source.startswith(_FEEDS):
                errors[index] = {"source": _FEEDS_OWN}
        return drafts.write(
            drafts=put, errors=errors, by=by, now=now, may_change_people=may_change_people
        )


def change_wedding(
    *,
    wedding_id: int,
    words: Mapping[str, Any],
    whole: bool,
    by: str,
    now: datetime,
    may_change_people: bool = False,
) -> Written:
    """Replace a wedding (`whole`), or some of its words.

    A replaced one keeps its source, uid and status where they are left out. Raises UnknownWedding;
    WrongWords; NotTheirs as `put_weddings`; NotNow for another status than live while it goes on:
    who sends that may have read the wedding before somebody pressed "still going".
    """
    with calendar_lock():
        wedding = _find(wedding_id)
        old = facts_of(wedding)
        if whole:
            kept = {"source": old.source, "uid": old.uid, "status": old.status}
            facts = replace(read_wedding({**kept, **words}), given=frozenset(WORDS))
        else:
            facts = read_wedding(words, base=old)
        if _goes_on(wedding, now) and facts.status != Wedding.Status.LIVE:
            raise NotNow(f"Wedding {wedding.pk} is under way; press complete when it is over.")
        errors = _refuse_identity(wedding, facts)
        try:
            return drafts.write(
                drafts=[Draft(wedding, facts)],
                errors=errors,
                by=by,
                now=now,
                may_change_people=may_change_people,
            )
        except WrongWeddings as wrong:
            raise WrongWords(wrong.errors[0]) from None


def remove_wedding(*, wedding_id: int, by: str, now: datetime) -> list[PermitWord]:
    """Raises UnknownWedding."""
    with calendar_lock():
        _find(wedding_id)
        return writing.write_weddings(delete=[wedding_id], by=by, now=now)


def still_going(*, wedding_id: int, by: str, now: datetime) -> list[PermitWord]:
    """It overruns. Raises UnknownWedding; NotNow for one that is cancelled or far from begun."""
    with calendar_lock():
        wedding = _find(wedding_id)
        if wedding.status == Wedding.Status.LIVE:
            return []
        _refuse_press(wedding, wedding.may_go_on(now))
        wedding.status = Wedding.Status.LIVE
        return writing.write_weddings(save=[wedding], by=by, now=now)


def complete(*, wedding_id: int, by: str, now: datetime) -> list[PermitWord]:
    """It is over now. Raises UnknownWedding; NotNow for one that is cancelled or not begun."""
    with calendar_lock():
        wedding = _find(wedding_id)
        if wedding.status == Wedding.Status.COMPLETED:
            return []
        _refuse_press(wedding, wedding.may_be_over(now))
        wedding.status = Wedding.Status.COMPLETED
        return writing.write_weddings(save=[wedding], by=by, now=now)


def _refuse_press(wedding: Wedding, has_begun: bool) -> None:
    if wedding.status == Wedding.Status.CANCELLED:
        raise NotNow(f"Wedding {wedding.pk} is cancelled.")
    if not has_begun:
        begins = zones.spoken(wedding.starts_at, wedding.zone)
        raise NotNow(f"Wedding {wedding.pk} has not begun; it starts {begins}.")


def preview_of(write: Callable[[], Written]) -> Written:
    """What a write would do, found out by doing it and taking it back."""
    with taken_back():
        return replace(write(), ids=())


def read_kept(*, wedding_id: int) -> dict[str, Any]:
    """One wedding in words. Raises UnknownWedding."""
    return write_kept(_find(wedding_id))


def read_written(written: Written) -> list[dict[str, Any]]:
    """What was just written, in words and in its order; one that is gone already is left out."""
    rows = Wedding.objects.prefetch_related("coordinators").in_bulk(written.ids)
    return [write_kept(rows[pk]) for pk in written.ids if pk in rows]


def list_kept(
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    status: str | None = None,
    source: str | None = None,
    coordinator: str = "",
    limit: int,
    offset: int,
) -> tuple[list[dict[str, Any]], int]:
    """Weddings in words, by start: those whose planned time touches [start, end), and how many.

    `coordinator` is an e-mail address or a name; what is empty or None does not count.
    """
    exact = {"ends_at__gt": start, "starts_at__lt": end, "status": status, "source": source}
    said = {name: value for name, value in exact.items() if value is not None}
    rows = Wedding.objects.filter(**said)
    if coordinator:
        named = Q(email__iexact=coordinator) | Q(name__iexact=coordinator)
        their = Coordinator.weddings.through.objects.filter(
            coordinator__in=Coordinator.objects.filter(named)
        )
        rows = rows.filter(pk__in=their.values("wedding"))
    page = rows.order_by("starts_at", "pk").prefetch_related("coordinators")
    return [write_kept(row) for row in page[offset : offset + limit]], rows.count()


def _find(wedding_id: int) -> Wedding:
    wedding = Wedding.objects.prefetch_related("coordinators").filter(pk=wedding_id).first()
    if wedding is None:
        raise UnknownWedding(f"There is no wedding {wedding_id}.")
    return wedding


def _known(facts: Sequence[WeddingFacts]) -> dict[tuple[str, str], Wedding]:
    """Those that are kept with a source and uid of these."""
    uids: dict[str, set[str]] = {}
    for words in facts:
        if words.uid:
            uids.setdefault(words.source, set()).add(words.uid)
    rows = Wedding.objects.prefetch_related("coordinators")
    return {
        (wedding.source, wedding.uid): wedding
        for source, wanted in uids.items()
        for wedding in rows.filter(source=source, uid__in=wanted)
    }


def _numbered(ids: Sequence[int | None], errors: Errors) -> dict[int, Wedding]:
    """By their index in the list; what is wrong with a number goes into `errors`."""
    counts = Counter(ids)
    rows = Wedding.objects.prefetch_related("coordinators").in_bulk({*ids} - {None})
    for index, number in enumerate(ids):
        if number is not None and number not in rows:
            errors[index] = {"id": f"There is no wedding {number}; leave this empty to add one."}
        elif number is not None and counts[number] > 1:
            errors[index] = {"id": "Several weddings here have this number."}
    return {index: rows[pk] for index, pk in enumerate(ids) if pk is not None and pk in rows}


def _identified(facts: WeddingFacts, wedding: Wedding | None) -> WeddingFacts:
    """With the source and uid that a wedding has, where others were not said."""
    silent = {"source", "uid"} - facts.given
    return replace(facts, **{name: getattr(wedding, name) for name in silent}) if wedding else facts


def _twice(facts: Sequence[WeddingFacts]) -> Errors:
    counts = Counter((words.source, words.uid) for words in facts if words.uid)
    return {
        index: {"uid": "Several weddings here have this source and uid."}
        for index, words in enumerate(facts)
        if counts[words.source, words.uid] > 1
    }


def _standing(wedding: Wedding, facts: WeddingFacts, now: datetime) -> WeddingFacts:
    """An import plans; that a wedding goes on, is over or is called off, only people say then."""
    if not wedding.pk:
        return facts
    over = wedding.status == Wedding.Status.COMPLETED and wedding.starts_at <= now
    if _goes_on(wedding, now) or over and facts.status in {"tentative", "confirmed"}:
        return replace(facts, status=str(wedding.status))
    return facts


def _goes_on(wedding: Wedding, now: datetime) -> bool:
    return wedding.status == Wedding.Status.LIVE and wedding.may_go_on(now)


def _refuse_identity(wedding: Wedding, facts: WeddingFacts) -> Errors:
    new = (facts.source, facts.uid)
    if new == (wedding.source, wedding.uid):
        return {}
    if facts.source.startswith(_FEEDS):
        return {0: {"source": _FEEDS_OWN}}
    other = _known([facts]).get(new)
    return {0: {"uid": f"Wedding {other.pk} has this source and uid."}} if other else {}
