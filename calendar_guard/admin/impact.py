"""A save that would stop tests asks first, naming them; with a yes it stops them.

It is found out by writing and taking it back, under one calendar lock. Tests that began while a
person was reading the question are stopped as well, and the message says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

import clock
from calendar_guard import permits, reading, zones
from calendar_guard.admin.saying import SaysItself
from calendar_guard.lock import calendar_lock
from calendar_guard.permits import PermitWord

# In what is posted: the permits that a person has seen, and the wish to go back to the form.
SEEN, BACK = "_stops", "_back"
_OURS = {SEEN, BACK, "csrfmiddlewaretoken"}


class MustAsk(Exception):
    """Takes back, with its transaction, a write that would stop tests."""

    def __init__(self, tests: Sequence[PermitWord]) -> None:
        super().__init__("This would stop tests.")
        self.tests = tests


@dataclass(frozen=True, slots=True)
class Affected:
    """A row of the question."""

    label: str
    link: str
    who: str
    doing: str
    since: str


class AsksFirst(SaysItself):
    """A form's POST holds the calendar lock from reading the row to the last write."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, extra_context)
        try:
            with calendar_lock():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except MustAsk as question:
            return ask(self, request, question.tests)


def check(request: HttpRequest, stopped: Sequence[PermitWord]) -> None:
    """After a write, inside its lock. Raises MustAsk where nobody has said yes to that yet."""
    if stopped and SEEN not in request.POST:
        raise MustAsk(stopped)


def ask(
    model_admin: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    tests: Sequence[PermitWord],
    *,
    back: str = "",
) -> TemplateResponse:
    """The question carries all that was posted; `back` is a page, without one it is the form."""
    now = clock.now()
    posted = ((key, value) for key, values in request.POST.lists() for value in values)
    matter = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"This stops {count(tests, now)}",
        "is_popup": "_popup" in request.POST,
        "tests": rows(tests, now),
        "button": f"Save and stop {count(tests, now)}",
        "carried": [(key, value) for key, value in posted if key not in _OURS],
        "seen": ",".join(str(test.id) for test in tests),
        "back": back,
    }
    return TemplateResponse(request, "admin/calendar_guard/impact.html", matter)


def tell(request: HttpRequest, stopped: Sequence[PermitWord]) -> None:
    """Whoever saved reads which tests that has stopped."""
    if not stopped:
        return
    said = format_html("Stopped {}: {}.", count(stopped, clock.now()), _names(stopped))
    messages.warning(request, said)
    seen = set(request.POST.get(SEEN, "").split(","))
    late = [test for test in stopped if str(test.id) not in seen]
    if late and SEEN in request.POST:
        began = format_html(
            "Begun or scheduled after you were asked, and stopped as well: {}.", _names(late)
        )
        messages.warning(request, began)


def count(tests: Sequence[PermitWord], now: datetime) -> str:
    """`1 running test and 2 scheduled tests`: those that have begun, and those that have not."""
    running = sum(test.start <= now for test in tests)
    counts = {"running": running, "scheduled": len(tests) - running}
    parts = [f"{n} {kind} test{'' if n == 1 else 's'}" for kind, n in counts.items() if n]
    return " and ".join(parts)


def rows(tests: Sequence[PermitWord], now: datetime) -> list[Affected]:
    return [_row(test, now) for test in tests]


def _names(tests: Sequence[PermitWord]) -> SafeString:
    return format_html_join(", ", "{}", ((_link(test),) for test in tests))


def _link(test: PermitWord) -> str | SafeString:
    name = f"“{test.label}”"
    return format_html('<a href="{}">{}</a>', test.link, name) if test.link else name


def _row(test: PermitWord, now: datetime) -> Affected:
    begins = zones.spoken(test.start, reading.policy().home_zone)
    who = permits.asked_by(run_id=test.run_id)
    if test.start > now:
        return Affected(test.label, test.link, who, "waits", f"scheduled for {begins}")
    return Affected(test.label, test.link, who, test.doing or "nothing yet", begins)
