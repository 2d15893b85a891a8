"""Every refusal of the REST API as a problem document (RFC 9457): what happened, why, what next."""

import errno
import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import bad_request as plain_bad_request
from django.views.defaults import server_error as plain_server_error
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

log = logging.getLogger(__name__)
_NEXT = {
    401: "Send 'Authorization: Bearer TOKEN' (./wedsync token prints one) or log in.",
    403: "Ask for a role that may do this.",
    404: "Look the id up in the list.",
}


class _Unavailable(exceptions.APIException):
    status_code = 503
    default_code = "unavailable"
    default_detail = (
        "The database or the disk of this installation does not answer, so it is not known whether "
        "this was done. Look there first; then try again in a minute, and tell ops if it lasts."
    )


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. A `problem` dict on the exception adds to these words."""
    if isinstance(exc, OperationalError | InterfaceError) or _is_full(exc):
        log.error("%s could not be answered", context.get("request"), exc_info=exc)
        exc = _Unavailable()
    response = exception_handler(exc, context)
    if response is None:
        return None
    detail = "No such thing here." if isinstance(exc, Http404) else _sentence(response.data)
    problem = {
        "type": "about:blank",
        "title": response.status_text,
        "status": response.status_code,
        "detail": detail,
        "code": getattr(exc, "default_code", "not_found"),
    }
    request = context.get("request")
    nobody = response.status_code == 403 and not getattr(request, "auth", None)
    unnamed = nobody and not getattr(getattr(request, "user", None), "pk", None)
    if next_step := _NEXT.get(401 if unnamed else response.status_code):
        problem["next"] = next_step
    if isinstance(exc, exceptions.ValidationError) and isinstance(response.data, dict):
        problem["errors"] = response.data
    response.data = problem | getattr(exc, "problem", {})
    response.content_type = "application/problem+json"
    return response


def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """An address under the API that nobody answers."""
    return _answer(404, "Not Found", "not_found", f"There is no {request.path} here.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own refusals (an unknown Host, a huge body), in words where a program asked."""
    if not request.path.startswith("/api/"):
        return plain_bad_request(request, exception)
    told = {
        "DisallowedHost": "This installation does not answer to that Host.",
        "RequestDataTooBig": "The body is too large; a script has at most 2 MiB.",
    }
    detail = told.get(type(exception).__name__, "The request cannot be understood.")
    return _answer(400, "Bad Request", "bad_request", detail)


def fault(request: HttpRequest) -> HttpResponse:
    """What nobody foresaw, in words where a program asked."""
    if not request.path.startswith("/api/"):
        return plain_server_error(request)
    detail = "A fault of ours, which is in the log. Try again, and tell ops if it lasts."
    return _answer(500, "Internal Server Error", "fault", detail)


def _is_full(exc: Exception) -> bool:
    return isinstance(exc, OSError) and exc.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def _answer(status: int, title: str, code: str, detail: str) -> HttpResponse:
    words = {"type": "about:blank", "title": title, "status": status, "code": code}
    return JsonResponse(
        words | {"detail": detail}, status=status, content_type="application/problem+json"
    )


def _sentence(data: Any) -> str:
    if isinstance(data, dict):
        if set(data) == {"detail"}:
            return str(data["detail"])
        return " ".join(f"{field}: {_sentence(value)}" for field, value in data.items())
    if isinstance(data, list):
        return " ".join(_sentence(value) for value in data)
    return str(data)
