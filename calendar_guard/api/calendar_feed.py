"""The .ics address. Calendar programs cannot send headers, so here a token may be in the address.

It may do no more than `calendar_guard.view_verdict`, since addresses are kept in many places. This
server keeps none: Daphne runs without its access log, and Django's log has only paths.
"""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from rest_framework.exceptions import PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

import clock
from calendar_guard import outgoing, reading, services
from calendar_guard.api.view import VIEW, GuardView, asked, asked_duration, only, told
from clock.iso import format_duration

SHOWN = ("safe", "protected")
DEFAULT_DURATION = "PT30M"
TOO_MUCH = (
    "A token in an address may do nothing but read the calendar. Issue one that is limited:"
    f" python manage.py issue_token NAME --scope {VIEW}"
)


class Whatever(BaseContentNegotiation):
    """Calendar programs ask for text/calendar, which is what they get; a refusal is JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return JSONRenderer(), JSONRenderer.media_type


class CalendarFeedView(GuardView):
    """`?show=safe` (windows for a test of `duration`) or `?show=protected`, today and onwards."""

    content_negotiation_class = Whatever

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The token moves to where tokens are looked for."""
        token = request.GET.get("token")
        self._token_is_in_address = token is not None and "HTTP_AUTHORIZATION" not in request.META
        if self._token_is_in_address:
            request.META["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return super().initialize_request(request, *args, **kwargs)

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if self._token_is_in_address and getattr(request.auth, "scopes", None) != [VIEW]:
            raise PermissionDenied(TOO_MUCH)

    def get(self, request: Request) -> HttpResponseBase:
        now = clock.now()
        with told():
            only(request.query_params, ("show", "duration", "token"))
            show = asked(request, "show", _show, "safe")
            duration = asked_duration(request, default=DEFAULT_DURATION)
        name, entries = _entries(show, duration, now)
        etag = outgoing.mark(entries)
        response = get_conditional_response(request._request, etag=etag)
        if response is None:
            content = outgoing.write(entries, name=name, now=now)
            response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
            response["ETag"] = etag
            response["Content-Disposition"] = f'inline; filename="{show}.ics"'
        patch_cache_control(response, private=True, no_cache=True)
        response["Referrer-Policy"] = "no-referrer"
        return response


def _entries(
    show: str, duration: timedelta, now: datetime
) -> tuple[str, tuple[outgoing.Entry, ...]]:
    """From midnight in UTC, so that it changes with the calendar and not with every second."""
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = start + reading.policy().horizon
    if show == "safe":
        windows = services.windows(start=start, end=end, duration=duration, now=now)
        return outgoing.SAFE, outgoing.safe_entries(windows, duration=format_duration(duration))
    spans = services.protected_spans(start=start, end=end, now=now)
    return outgoing.PROTECTED, outgoing.protected_entries(spans, until=end)


def _show(text: str) -> str:
    if text not in SHOWN:
        raise ValueError("Write show=safe or show=protected.")
    return text
