"""Coordinators in words as rows: found by e-mail, else by name, else made.

What is said of somebody who is known changes them; what is not said stays.
"""

from collections.abc import Iterable

from django.db.models import Q
from django.db.models.functions import Lower

from calendar_guard.models import Coordinator
from calendar_guard.plain import shown
from calendar_guard.weddings.people_words import CoordinatorFacts
from calendar_guard.writing import BATCH, Invalid

_SAID = ("name", "phone", "slack_id", "language")


class Crew:
    """Reads everybody who is meant in one query; `save` writes those that are new or changed."""

    def __init__(self, wanted: Iterable[CoordinatorFacts]) -> None:
        people = set(wanted)
        emails = {person.email.lower() for person in people if person.email}
        names = {person.name for person in people if not person.email}
        known = Coordinator.objects.annotate(low=Lower("email"))
        meant = Q(low__in=emails) | Q(name__in=names)
        rows = known.filter(meant).order_by("pk") if people else ()
        self._people: list[Coordinator] = [*rows]
        self._changed: dict[int, Coordinator] = {}

    def find(self, person: CoordinatorFacts) -> Coordinator:
        """Not saved yet where it is new. Raises Invalid where nobody or several are meant."""
        found = self._by_email(person.email) if person.email else self._by_name(person.name)
        if found is None:
            found = _make(person)
            self._people.append(found)
        elif self._tell(found, person) and found.pk:
            self._changed[found.pk] = found
        return found

    def is_news(self, person: Coordinator) -> bool:
        return not person.pk or person.pk in self._changed

    def save(self) -> None:
        fresh = [person for person in self._people if not person.pk]
        Coordinator.objects.bulk_create(fresh, batch_size=BATCH)
        Coordinator.objects.bulk_update(self._changed.values(), _SAID, batch_size=BATCH)

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

    def _tell(self, known: Coordinator, person: CoordinatorFacts) -> bool:
        """Whether something new was said of them."""
        said = {name: getattr(person, name) for name in _SAID}
        new = {
            name: value
            for name, value in said.items()
            if value is not None and value != getattr(known, name)
            if value or name not in {"name", "language"}
        }
        for name, value in new.items():
            setattr(known, name, value)
        return bool(new)


def _make(person: CoordinatorFacts) -> Coordinator:
    if person.known:
        raise Invalid(
            "coordinators",
            f"Nobody here is called {shown(person.email or person.name)};"
            ' give {"name": ..., "email": ...} to add somebody.',
        )
    said = {name: getattr(person, name) for name in _SAID}
    return Coordinator(email=person.email, **{name: value for name, value in said.items() if value})
