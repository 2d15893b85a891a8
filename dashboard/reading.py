"""Who may read the pages: the same rule as the API and the streams."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")


def may_read(request: HttpRequest) -> bool:
    """By permission; the embedded stack is also open to readers on its own machine."""
    if request.user.has_perm("runs.view_run"):
        return True
    return bool(settings.WEDSYNC_EMBEDDED) and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def reader_only(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if may_read(request):
            return view(request, *args, **kwargs)
        return redirect_to_login(request.get_full_path())

    return guarded


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
