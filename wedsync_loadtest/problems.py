"""Every refusal of the REST API as a problem document (RFC 9457): what happened, why, what next."""

from typing import Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

_NEXT = {
    401: "Send 'Authorization: Bearer TOKEN' (./wedsync token prints one) or log in.",
    403: "Ask for a role that may do this.",
    404: "Look the id up in the list.",
}


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. A `problem` dict on the exception adds to these words."""
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
    if next_step := _NEXT.get(response.status_code):
        problem["next"] = next_step
    if isinstance(exc, exceptions.ValidationError) and isinstance(response.data, dict):
        problem["errors"] = response.data
    response.data = problem | getattr(exc, "problem", {})
    response.content_type = "application/problem+json"
    return response


def _sentence(data: Any) -> str:
    if isinstance(data, dict):
        if set(data) == {"detail"}:
            return str(data["detail"])
        return " ".join(f"{field}: {_sentence(value)}" for field, value in data.items())
    if isinstance(data, list):
        return " ".join(_sentence(value) for value in data)
    return str(data)
