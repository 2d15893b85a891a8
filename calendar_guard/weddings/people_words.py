"""Coordinators in words: objects, or just the e-mail or name of somebody who is known here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from calendar_guard.models import Coordinator
from calendar_guard.plain import clean, shown

MOST_COORDINATORS = 20


@dataclass(frozen=True, slots=True)
class CoordinatorFacts:
    """Somebody by e-mail, else by name. None was not said, so what is known of them stays."""

    name: str = ""
    email: str = ""
    phone: str | None = None
    slack_id: str | None = None
    language: str | None = None
    known: bool = field(default=False, compare=False)  # only named: must be somebody known here


def read_coordinators(value: object) -> tuple[CoordinatorFacts, ...]:
    if not isinstance(value, list) or len(value) > MOST_COORDINATORS:
        raise ValueError(f"Coordinators are a list of at most {MOST_COORDINATORS}.")
    return tuple(_coordinator(number, person) for number, person in enumerate(value, 1))


def write_coordinator(person: CoordinatorFacts) -> dict[str, str]:
    words = {name: getattr(person, name) for name in _PERSON}
    return {name: value for name, value in words.items() if value is not None}


def person_facts(person: Coordinator) -> CoordinatorFacts:
    return CoordinatorFacts(
        person.name, person.email, person.phone, person.slack_id, person.language
    )


def _coordinator(number: int, value: object) -> CoordinatorFacts:
    if isinstance(value, str):
        name = "email" if "@" in value else "name"
        value = {name: value, "known": True}
    elif not isinstance(value, dict) or not {"name", "email"} & set(value):
        raise ValueError(
            f"Coordinator {number}: give an e-mail address or a name, or an object with them."
        )
    elif unknown := set(value) - set(_PERSON):
        told = shown(sorted(unknown)[0])
        raise ValueError(f"Coordinator {number}: no word {told}; known are {', '.join(_PERSON)}.")
    try:
        read = {name: _PERSON[name](value[name]) for name in _PERSON if name in value}
    except ValueError as error:
        raise ValueError(f"Coordinator {number}: {error}") from None
    if not (read.get("name") or read.get("email")):
        raise ValueError(f"Coordinator {number}: neither a name nor an e-mail address.")
    return CoordinatorFacts(**read, known=bool(value.get("known")) or not read.get("name"))


def _email(value: object) -> str:
    address = clean(value, longest=254)
    try:
        if address:
            validate_email(address)
    except ValidationError:
        raise ValueError(f"{shown(address)} is not an e-mail address.") from None
    return address


_PERSON: Mapping[str, Callable[[Any], Any]] = {
    "name": partial(clean, longest=100),
    "email": _email,
    "phone": partial(clean, longest=32),
    "slack_id": partial(clean, longest=32),
    "language": partial(clean, longest=10),
}
