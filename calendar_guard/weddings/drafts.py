"""Rows and what is to become of them: written together, all or nothing, if anything is new."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from calendar_guard import coordinating, writing, zones
from calendar_guard.models import Coordinator, Wedding
from calendar_guard.permits import PermitWord
from calendar_guard.weddings.crew import Crew
from calendar_guard.weddings.facts import WORDS, WeddingFacts
from calendar_guard.writing import Invalid

Errors = dict[int, dict[str, str]]
_PLAIN = (
    *("title", "venue", "zone", "setup", "teardown", "guests", "status", "notes"),
    *("source", "uid"),
)


class WrongWeddings(ValueError):
    """`errors` has, for each wrong wedding's index in the list, a sentence per wrong word."""

    def __init__(self, errors: Mapping[int, Mapping[str, str]]) -> None:
        super().__init__(f"{len(errors)} of the weddings cannot be kept.")
        self.errors = {index: dict(errors[index]) for index in sorted(errors)}


@dataclass(frozen=True, slots=True)
class Written:
    """`ids` in the order of the facts, none after a preview; `stopped`: tests, scheduled too."""

    ids: tuple[int, ...]
    new: int
    changed: int
    unchanged: int
    stopped: tuple[PermitWord, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    wedding: Wedding
    facts: WeddingFacts

    @property
    def words(self) -> frozenset[str]:
        """Which of the facts count: all for a new wedding, else those that were said."""
        return self.facts.given if self.wedding.pk else frozenset(WORDS)


def write(
    *, drafts: Sequence[Draft], errors: Errors, by: str, now: datetime, may_change_people: bool
) -> Written:
    """Inside the calendar's lock. Raises WrongWeddings, for what it finds and for `errors`;
    NotTheirs."""
    wanted = (person for draft in drafts for person in draft.facts.coordinators)
    crew = Crew(wanted, may_change=may_change_people)
    people = _people(drafts, crew, errors)
    new = sum(not draft.wedding.pk for draft in drafts)
    known = [copy(draft.wedding) if draft.wedding.pk else None for draft in drafts]
    moved = [_apply(draft) for draft in drafts]
    _check_statuses(drafts, known, errors, now)
    if errors:
        raise WrongWeddings(errors)
    regrouped = [
        index in people and _differ(draft.wedding, people[index], crew)
        for index, draft in enumerate(drafts)
    ]
    save = [draft.wedding for draft, is_moved in zip(drafts, moved, strict=True) if is_moved]
    stopped = writing.write_weddings(save=save, by=by, now=now) if save else []
    crew.save(by=by, now=now)
    groups = {drafts[index].wedding.pk: people[index] for index in people if regrouped[index]}
    coordinating.set_people(people=groups, by=by, now=now)
    touched = sum(map(max, moved, regrouped))
    return Written(
        ids=tuple(draft.wedding.pk for draft in drafts),
        new=new,
        changed=touched - new,
        unchanged=len(drafts) - touched,
        stopped=tuple(stopped),
    )


def _people(drafts: Sequence[Draft], crew: Crew, errors: Errors) -> dict[int, list[Coordinator]]:
    found = {}
    for index, draft in enumerate(drafts):
        if "coordinators" in draft.words:
            try:
                found[index] = [crew.find(person) for person in draft.facts.coordinators]
            except Invalid as wrong:
                errors.setdefault(index, {})[wrong.field] = str(wrong)
    return found


def _check_statuses(
    drafts: Sequence[Draft], known: Sequence[Wedding | None], errors: Errors, now: datetime
) -> None:
    for index, (draft, old) in enumerate(zip(drafts, known, strict=True)):
        try:
            writing.check_status(draft.wedding, old, now)
        except Invalid as wrong:
            errors.setdefault(index, {})[wrong.field] = str(wrong)


def _differ(wedding: Wedding, people: list[Coordinator], crew: Crew) -> bool:
    kept = {person.pk for person in wedding.coordinators.all()} if wedding.pk else set()
    return {person.pk for person in people} != kept or any(map(crew.is_news, people))


def _apply(draft: Draft) -> bool:
    """Whether the row is new or another now."""
    wedding, facts = draft.wedding, draft.facts
    before = _values(wedding)
    if not wedding.pk or _times_differ(wedding, facts):
        wedding.starts_at = zones.earliest(facts.starts_at, facts.zone)
        wedding.ends_at = zones.latest(facts.ends_at, facts.zone)
    for name in draft.words.intersection(_PLAIN):
        setattr(wedding, name, getattr(facts, name))
    return not wedding.pk or before != _values(wedding)


def _times_differ(wedding: Wedding, facts: WeddingFacts) -> bool:
    """By the wall: times that are ambiguous there and that nobody touched keep their instants."""
    walls = (datetime.fromisoformat(wall) for wall in (wedding.wall_start, wedding.wall_end))
    return (wedding.zone, *walls) != (facts.zone, facts.starts_at, facts.ends_at)


def _values(wedding: Wedding) -> tuple[object, ...]:
    return tuple(getattr(wedding, name) for name in (*_PLAIN, "starts_at", "ends_at"))
