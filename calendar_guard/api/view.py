"""What the guard's API addresses share: who may, how a body is read, how a refusal is told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from rest_framework import exceptions, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from calendar_guard import reading
from calendar_guard.models import FIRST, LAST
from calendar_guard.permits import PermitWord
from calendar_guard.plain import clean, shown
from calendar_guard.weddings.crew import NotTheirs
from calendar_guard.weddings.drafts import WrongWeddings
from calendar_guard.weddings.keeping import NotNow, UnknownWedding
from calendar_guard.writing import Invalid
from clock import iso

Read = TypeVar("Read")
LONGEST_LIST, MOST_TOLD = 1000, 20
VIEW = "calendar_guard.view_verdict"


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_now"


class May(BasePermission):
    """Each view names the permissions that a method needs; one it does not know gets its 405."""

    message = "You may not do this with the wedding calendar."

    def has_permission(self, request: Request, view: APIView) -> bool:
        needs: Mapping[str, Sequence[str]] = getattr(view, "needs", {})
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else str(request.method)
        return bool(request.user and request.user.has_perms(needs.get(method, (VIEW,))))


class GuardView(APIView):
    permission_classes = [May]
    needs: ClassVar[Mapping[str, Sequence[str]]] = {}


@contextmanager
def told(*, many: bool = False) -> Iterator[None]:
    """What the calendar refuses, in the API's one error format; by index where there are many."""
    try:
        yield
    except WrongWeddings as wrong:
        words = _some(wrong.errors) if many else _listed(wrong.errors[0])
        raise exceptions.ValidationError(words) from None
    except Invalid as wrong:
        raise exceptions.ValidationError(_listed(wrong.errors)) from None
    except UnknownWedding as unknown:
        raise exceptions.NotFound(str(unknown)) from None
    except NotTheirs as wrong:
        raise exceptions.PermissionDenied(str(wrong)) from None
    except NotNow as wrong:
        raise Conflict(str(wrong)) from None


def objects(data: Any, *, most: int = LONGEST_LIST) -> list[dict[str, Any]]:
    """A body that is one object or a list of them."""
    items = data if isinstance(data, list) else [data]
    if not items or not all(isinstance(item, dict) for item in items):
        raise exceptions.ParseError('Send a JSON object, {"word": ...}, or a list of them.')
    if len(items) > most:
        raise exceptions.ParseError(f"At most {most:,} at once, please; these are {len(items):,}.")
    return items


def each(items: Sequence[Any], read: Callable[[Any], Read]) -> list[Read]:
    """Reads every item, or raises WrongWeddings with what is wrong by index."""
    found: list[Read] = []
    errors: dict[int, Mapping[str, str]] = {}
    for index, item in enumerate(items):
        try:
            found.append(read(item))
        except Invalid as wrong:
            errors[index] = wrong.errors
    if errors:
        raise WrongWeddings(errors)
    return found


def only(words: Mapping[str, Any], known: Sequence[str] = ()) -> None:
    """Raises Invalid for a word that is not known: no slip is passed over in silence."""
    others = f"; known are {', '.join(known)}" if known else " here"
    for name in words:
        if name not in known:
            raise Invalid(shown(name), f"There is no such word{others}.")


def text(words: Mapping[str, Any], name: str, longest: int) -> str:
    """Raises Invalid; a missing word is empty."""
    try:
        return clean(words.get(name, ""), longest=longest)
    except ValueError as error:
        raise Invalid(name, str(error)) from None


def instant(value: Any, name: str) -> datetime:
    """With an offset, within the calendar's time; raises Invalid."""
    try:
        found = iso.parse_instant(clean(value, longest=64))
    except ValueError as error:
        raise Invalid(name, str(error)) from None
    if not FIRST <= found < LAST:
        raise Invalid(name, f"{shown(value)} lies outside the calendar.")
    return found


def asked(request: Request, name: str, read: Callable[[Any], Read], default: Read) -> Read:
    """A word of the query, read; `default` where it is left out."""
    value = request.query_params.get(name)
    if value is None:
        return default
    try:
        return read(clean(value, longest=200))
    except Invalid:
        raise
    except ValueError as error:
        raise Invalid(name, str(error)) from None


def asked_duration(request: Request, default: str = "") -> timedelta:
    text = request.query_params.get("duration", default)
    if "duration" not in request.query_params and not default:
        raise Invalid("duration", "Say how long the test lasts: ?duration=PT30M for 30 minutes.")
    try:
        return _duration(clean(text, longest=500))
    except ValueError as error:
        raise Invalid("duration", str(error)) from None


def number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ValueError(f"Write a whole number from {least} to {most:,}.")
        return int(text)

    return read


def flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError("Write 1 for yes or 0 for no.")
    return text == "1"


def name_of(request: Request) -> str:
    return str(request.user.get_username())


def stopped(permits: Sequence[PermitWord]) -> list[dict[str, str]]:
    return [{"run": permit.run_id, "label": permit.label} for permit in permits]


def _duration(text: str) -> timedelta:
    duration, horizon = iso.parse_duration(text), reading.policy().horizon
    if duration <= timedelta(0):
        raise ValueError("A test that lasts no time needs no window; ask for PT1M or more.")
    if duration > horizon:
        raise ValueError(f"The calendar is judged {horizon.days} days ahead; ask for less.")
    return duration


def _listed(words: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [said] for name, said in words.items()}


def _some(errors: Mapping[int, Mapping[str, str]]) -> dict[str, Any]:
    """By index, the first of them, so that a bad list of a thousand has a readable answer."""
    words: dict[str, Any] = {
        str(index): _listed(wrong) for index, wrong in list(errors.items())[:MOST_TOLD]
    }
    if len(errors) > MOST_TOLD:
        words["list"] = [f"{len(errors) - MOST_TOLD} more are wrong as well."]
    return words
