"""What the API addresses of runs share: who may, how words are read, how a refusal is told."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.models import User
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from runs import services

Read = TypeVar("Read")
_LONGEST_SHOWN, _MOST_DIGITS = 60, 20


class Conflict(exceptions.APIException):
    """409 with more words than a sentence."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, detail: str, code: str, **problem: Any) -> None:
        super().__init__(detail, code)
        self.problem = {"code": code, **problem}


class May(BasePermission):
    """Each view names what a method needs; one that it does not know gets its 405, whoever asks."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        needs: Mapping[str, str] = getattr(view, "needs", {})
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else str(request.method)
        return bool(request.user.has_perm(needs.get(method, "runs.view_run")))


class RoomView(APIView):
    permission_classes = [May]
    needs: ClassVar[Mapping[str, str]] = {}


@contextmanager
def told() -> Iterator[None]:
    """What the services refuse, in the API's one error format."""
    try:
        yield
    except services.Invalid as error:
        raise wrong(error.field, str(error)) from None
    except (services.UnknownRun, services.UnknownSchedule) as error:
        raise exceptions.NotFound(str(error)) from None
    except services.KeyReused as error:
        raise Conflict(str(error), "idempotency_key_reused") from None
    except services.StillScheduled as error:
        raise Conflict(str(error), "still_scheduled") from None
    except services.RunRefused as refusal:
        raise _refused(refusal) from None


def wrong(word: str, sentence: str) -> serializers.ValidationError:
    return serializers.ValidationError({word: [sentence]})


def asked(request: Request, name: str, read: Callable[[str], Read], default: Read) -> Read:
    """A word of the query, read; `default` where it is left out or empty."""
    value = request.query_params.get(name)
    if not value:
        return default
    try:
        return read(value)
    except ValueError as error:
        raise wrong(name, str(error)) from None


def plain(text: str) -> str:
    """Raises ValueError for what no column can hold."""
    if "\0" in text or len(text) > 500:
        raise ValueError("Write up to 500 characters of text, without a zero byte.")
    return text


def number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        is_short = len(text) <= _MOST_DIGITS and text.isascii()
        if not (is_short and text.isdecimal() and least <= int(text) <= most):
            raise ValueError(f"Write a whole number from {least} to {most}.")
        return int(text)

    return read


def row_id(text: str) -> str:
    number(1, 10**18)(text)
    return text


def only(request: Request, known: Collection[str] = ()) -> None:
    """Raises for a word of the query that is not known: no slip is passed over in silence."""
    others = f"; known are {', '.join(known)}" if known else " here"
    for name in request.query_params:
        if name not in known:
            raise wrong(shown(name), f"There is no such word{others}.")


def shown(text: str) -> str:
    """Whatever came, short and printable: an answer in UTF-8 cannot hold half a character."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text[:_LONGEST_SHOWN])


def person(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - only people hold the permissions to change
    return request.user


def name_of(request: Request) -> str:
    return person(request).get_username()


def _refused(refusal: services.RunRefused) -> Conflict:
    verdict = refusal.verdict.as_json()
    return Conflict(
        verdict["reason"],
        "calendar_refused",
        title="The wedding calendar refuses this test",
        blockers=verdict["blockers"],
        next_safe_window=verdict["next_safe_window"],
        run=refusal.run.id,
        next="Start it again inside next_safe_window; no one can override a wedding."
        if verdict["next_safe_window"]
        else "No window is long enough; try a shorter test, or ask the coordinator.",
    )
