from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

import clock
from calendar_guard import coordinating, writing, zones
from calendar_guard.admin import csv_pages, doubles, history, impact, month_pages, status
from calendar_guard.admin.filters import VenueFilter, WhenFilter
from calendar_guard.admin.people import PeopleInline
from calendar_guard.forms import WeddingForm
from calendar_guard.lock import calendar_lock
from calendar_guard.models import Change, Feed, Wedding

CHANGES_PER_PAGE = 100


@admin.register(Wedding)
class WeddingAdmin(impact.AsksFirst):
    form = WeddingForm
    list_display = ["title", "start", "end", "venue", "zone", "status"]
    list_filter = [WhenFilter, "status", "zone", "coordinators", VenueFilter]
    search_fields = ["title", "venue", "coordinators__name", "notes"]
    show_full_result_count = False
    readonly_fields = ["completed_at", "origin"]
    inlines = [PeopleInline]
    actions = ["still_going", "complete"]
    fieldsets = [
        (None, {"fields": ["title", "venue", "zone", "starts_local", "ends_local"]}),
        ("Protection", {"fields": ["setup", "teardown", "status", "completed_at"]}),
        ("More", {"fields": ["guests", "notes", "origin"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        press = [
            path(
                f"<int:pk>/{verb}/",
                wrap(require_POST(self.press)),
                {"verb": verb},
                name=f"calendar_guard_wedding_{verb}",
            )
            for verb in status.VERBS
        ]
        export = partial(csv_pages.export_csv, model_admin=self)
        pages = [
            path("calendar/", wrap(month_pages.show_month), name="calendar_guard_wedding_calendar"),
            path("import/", wrap(csv_pages.import_csv), name="calendar_guard_wedding_import"),
            path("export.csv", wrap(export), name="calendar_guard_wedding_export"),
        ]
        return [*pages, *press, *super().get_urls()]

    @admin.display(ordering="starts_at")
    def start(self, wedding: Wedding) -> str:
        return zones.spoken(wedding.starts_at, wedding.zone)

    @admin.display(ordering="ends_at")
    def end(self, wedding: Wedding) -> str:
        return zones.spoken(wedding.ends_at, wedding.zone)

    @admin.display(description="comes from")
    def origin(self, wedding: Wedding) -> str:
        feed = next((f for f in Feed.objects.all() if f.source == wedding.source), None)
        if feed is None:
            return wedding.source or "typed here"
        return (
            f"{feed.name}. Title, venue, zone and times follow that feed, so change them there;"
            " set-up, tear-down, guests, notes and coordinators are kept here."
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        wedding = context.get("original")
        if wedding and request.method == "GET" and self.has_change_permission(request, wedding):
            context |= status.panel(wedding, clock.now()) | {"subtitle": wedding.title}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Wedding, form: Any, change: bool) -> None:
        now = clock.now()
        stopped = writing.write_weddings(save=[obj], by=_who(request), now=now)
        impact.check(request, stopped)
        impact.tell(request, stopped)
        _confirm(request, obj, now)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        by, now = _who(request), clock.now()
        old = coordinating.people_of([form.instance.pk])
        for formset in formsets:
            formset.save_people(by=by, now=now)
        super().save_related(request, form, formsets, change)
        coordinating.note_people(old=old, by=by, now=now)

    def delete_model(self, request: HttpRequest, obj: Wedding) -> None:
        writing.write_weddings(delete=[obj.pk], by=_who(request), now=clock.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Wedding]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        for first in range(0, len(ids), writing.BATCH):
            some = ids[first : first + writing.BATCH]
            writing.write_weddings(delete=some, by=_who(request), now=clock.now())

    def get_deleted_objects(
        self, objs: Iterable[Wedding], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """By title and time; what goes with a wedding, such as its history, needs no list."""
        named = [f"{wedding.title}, {self.start(wedding)}" for wedding in objs]
        return named, {"weddings": len(named)}, set(), []

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        wedding = self.get_object(request, object_id)
        matter = dict(extra_context or {})
        if wedding is not None:
            found = Change.objects.filter(wedding=wedding)
            page = self.get_paginator(request, found, CHANGES_PER_PAGE)
            some = page.get_page(request.GET.get("page"))
            matter |= {"changes": history.rows(wedding, some.object_list), "page": some}
        return super().history_view(request, object_id, matter)

    @admin.action(description="Still going: protect until completed", permissions=["change"])
    def still_going(self, request: HttpRequest, weddings: QuerySet[Wedding]) -> HttpResponse | None:
        return self._set(request, weddings, status.STILL_GOING, request.get_full_path())

    @admin.action(description="Completed now", permissions=["change"])
    def complete(self, request: HttpRequest, weddings: QuerySet[Wedding]) -> HttpResponse | None:
        return self._set(request, weddings, status.COMPLETED_NOW, request.get_full_path())

    def press(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """A button beside the form."""
        wedding = get_object_or_404(Wedding, pk=pk)
        if not self.has_change_permission(request, wedding):
            raise PermissionDenied
        back = reverse("admin:calendar_guard_wedding_change", args=[pk])
        weddings = Wedding.objects.filter(pk=pk)
        return self._set(request, weddings, verb, back) or HttpResponseRedirect(back)

    def _set(
        self, request: HttpRequest, weddings: QuerySet[Wedding], verb: str, back: str
    ) -> HttpResponse | None:
        now, count = clock.now(), weddings.count()
        if count > writing.BATCH:
            messages.error(
                request, f"At most {writing.BATCH} at once, please; these are {count:,}."
            )
            return None
        try:
            with calendar_lock():
                begun = [one for one in weddings if status.may(one, verb, now)]
                stopped = status.set_all(begun, verb, by=_who(request), now=now)
                impact.check(request, stopped)
        except impact.MustAsk as question:
            return impact.ask(self, request, question.tests, back=back)
        for sentence in status.said(weddings.all(), begun, verb, now):
            messages.info(request, sentence)
        impact.tell(request, stopped)
        return None


def _who(request: HttpRequest) -> str:
    return request.user.get_username()


def _confirm(request: HttpRequest, wedding: Wedding, now: datetime) -> None:
    """To whoever saved it, with its title: the admin's log and its words have none."""
    starts, ends = (zones.spoken(at, wedding.zone) for at in (wedding.starts_at, wedding.ends_at))
    messages.info(request, f"“{wedding.title}” is from {starts} until {ends}.")
    planned = wedding.status in {Wedding.Status.TENTATIVE, Wedding.Status.CONFIRMED}
    if planned and wedding.ends_at + wedding.teardown <= now:
        warning = "That lies wholly in the past, so it protects nothing; is the year right?"
        messages.warning(request, warning)
    if wedding.status == Wedding.Status.LIVE:
        messages.info(request, "It is live: protected until somebody completes it.")
    if wedding.status != Wedding.Status.CANCELLED and (others := doubles.find(wedding)):
        links = format_html_join(
            ", ", '<a href="{}">{}</a>', ((_page(one), _named(one)) for one in others)
        )
        messages.warning(request, format_html("Is it entered twice? There is also {}.", links))


def _page(wedding: Wedding) -> str:
    return reverse("admin:calendar_guard_wedding_change", args=[wedding.pk])


def _named(wedding: Wedding) -> str:
    where = f" at {wedding.venue}" if wedding.venue else ""
    return f"“{wedding.title}”{where}, {zones.spoken(wedding.starts_at, wedding.zone)}"
