"""Coordinators in words as rows: found by e-mail, else by name, else made.

What is said of somebody who is known changes them; what is not said stays.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Lower

from calendar_guard import coordinating
from calendar_guard.models import Coordinator
from calendar_guard.plain import shown
from calendar_guard.weddings.people_words import CoordinatorFacts
from calendar_guard.writing import Invalid

_SAID = ("name", "phone", "slack_id", "language")


class NotTheirs(PermissionError):
    """Who may not change coordinators said something new of one."""


class Crew:
    """Reads everybody who is meant in one query; `save` writes those that are new or changed."""

    def __init__(self, wanted: Iterable[CoordinatorFacts], *, may_change: bool) -> None:
        people = set(wanted)
        emails = {person.email.lower() for person in people if person.email}
        names = {person.name for person in people if not person.email}
        known = Coordinator.objects.annotate(low=Lower("email"))
        meant = Q(low__in=emails) | Q(name__in=names)
        rows = known.filter(meant).order_by("pk") if people else ()
        self._people: list[Coordinator] = [*rows]
        self._changed: dict[int, Coordinator] = {}
        self._may_change = may_change

    def find(self, person: CoordinatorFacts) -> Coordinator:
        """Not saved yet where it is new.

        Raises Invalid where nobody or several are meant; NotTheirs.
        """
        found = self._by_email(person.email) if person.email else self._by_name(person.name)
        if found is None:
            found = _make(person)
            self._people.append(found)
        elif new := _news(found, person):
            self._tell(found, new)
        return found

    def is_news(self, person: Coordinator) -> bool:
        return not person.pk or person.pk in self._changed

    def save(self, *, by: str, now: datetime) -> None:
        fresh = [person for person in self._people if not person.pk]
        coordinating.save_people(people=[*fresh, *self._changed.values()], by=by, now=now)

    def _by_email(self, email: str) -> Coordinator | None:
        same = (person for person in self._people if person.email.lower() == email.lower())
        return next(same, None)

    def _by_name(self, name: str) -> Coordinator | None:
        same = [person for person in self._people if person.name == name]
        if len(same) > 1:
            same = [person for person in same if not person.email] or same
        if len(same) > 1:
            raise Invalid(
                "coordinators", f"Several people here are called {shown(name)}; write the e-mail."
            )
        return same[0] if same else None

    def _tell(self, known: Coordinator, new: Mapping[str, str]) -> None:
        if known.pk:
            if not self._may_change:
                raise NotTheirs(_not_theirs(known, new))
            self._changed[known.pk] = known
        for name, value in new.items():
            setattr(known, name, value)


def _news(known: Coordinator, person: CoordinatorFacts) -> dict[str, str]:
    """What is said of them that is not known yet."""
    said = {name: getattr(person, name) for name in _SAID}
    return {
        name: value
        for name, value in said.items()
        if value is not None and value != getattr(known, name)
        if value or name not in {"name", "language"}
    }


def _not_theirs(known: Coordinator, new: Iterable[str]) -> str:
    facts = " and ".join(name.replace("_", " ") for name in new)
    return (
        f"{shown(known.email or known.name)} is known here with another {facts}, and you may not"
        " change coordinators. Write only the e-mail address, or the name, to have them as they"
        " are; or ask a coordinator to change it."
    )


def _make(person: CoordinatorFacts) -> Coordinator:
    if person.known:
        raise Invalid(
            "coordinators",
            f"Nobody here is called {shown(person.email or person.name)};"
            ' give {"name": ..., "email": ...} to add somebody.',
        )
    said = {name: getattr(person, name) for name in _SAID}
    return Coordinator(email=person.email, **{name: value for name, value in said.items() if value})
