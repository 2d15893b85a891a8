"""Feeds as a coordinator sees them. An address may hold a secret, so it is never shown again."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

import clock
from calendar_guard import declaring, feeds, fetching, reading, zones
from calendar_guard.admin.saying import SaysItself
from calendar_guard.models import Feed, Wedding

SCHEMES = ("https", "http", "webcal", "webcals", "file")
ATTEST = "calendar_guard.attest_calendar"


class FeedForm(forms.ModelForm):  # type: ignore[type-arg]
    address = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs={"size": 60, "autocomplete": "off", "spellcheck": "false"}),
        help_text=Feed._meta.get_field("url").help_text,
    )

    class Meta:
        model = Feed
        fields = ["name", "zone", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            field = self.fields["address"]
            field.required, field.label = False, "New address"
            field.help_text = f"Leave it empty to keep the present one. {field.help_text}"

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        scheme, _, rest = address.partition("://")
        if address and (scheme.lower() not in SCHEMES or not rest.strip("/")):
            raise forms.ValidationError(
                "Write the whole address, such as https://calendar.example/weddings.ics or"
                " file:///folder/weddings.ics."
            )
        if address and (wrong := fetching.refusal(address)):
            raise forms.ValidationError(wrong)
        if fetching.has_plain_password(address):
            raise forms.ValidationError(
                "A password is not kept here: write it as $WEDSYNC_FEED_… and set that in the"
                " environment."
            )
        return address


@admin.register(Feed)
class FeedAdmin(SaysItself):
    form = FeedForm
    list_display = ["name", "state", "last_read", "event_count", "problem"]
    readonly_fields = ["present_address", "state", "last_read", "event_count", "problem"]
    actions = ["read_now"]

    def get_fieldsets(self, request: HttpRequest, obj: Feed | None = None) -> Any:
        typed = ["name", "address", "zone", "is_active"]
        if obj is None:
            return [(None, {"fields": typed})]
        typed = ["name", "present_address", *typed[1:]]
        if not self.has_change_permission(request, obj):
            typed.remove("address")
        read = ["state", "last_read", "event_count", "problem"]
        return [(None, {"fields": typed}), ("Last reading", {"fields": read})]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        verbs = {"read": self.press_read, "accept": self.press_accept}
        return [
            *(
                path(
                    f"<int:pk>/{verb}/",
                    wrap(require_POST(press)),
                    name=f"calendar_guard_feed_{verb}",
                )
                for verb, press in verbs.items()
            ),
            *super().get_urls(),
        ]

    @admin.display
    def state(self, feed: Feed) -> str:
        return f"{feed.state(clock.now())}{'' if feed.is_active else ', not in use'}"

    @admin.display(description="last read well", ordering="good_at")
    def last_read(self, feed: Feed) -> str:
        return zones.spoken(feed.good_at, reading.policy().home_zone) if feed.good_at else "never"

    @admin.display(description="address")
    def present_address(self, feed: Feed) -> str:
        return fetching.shown(feed.url)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        feed = context.get("original")
        if feed and request.method == "GET":
            refused = feed.refused_digest and feed.refused_digest != feed.accepted_digest
            context["subtitle"] = feed.name
            context["may_read"] = self.has_change_permission(request, feed)
            context["may_accept"] = bool(refused) and request.user.has_perm(ATTEST)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        by, now = request.user.get_username(), clock.now()
        declaring.save_feed(feed=obj, address=form.cleaned_data["address"], by=by, now=now)
        if obj.is_active:
            # Not under the calendar's lock: a server may be slow, and tests ask every second.
            transaction.on_commit(partial(_read, request, obj))
        else:
            messages.info(request, f"{_weddings_of(obj)} It is not read any more.")

    def delete_model(self, request: HttpRequest, obj: Feed) -> None:
        by, now = request.user.get_username(), clock.now()
        messages.info(request, _weddings_of(obj))
        declaring.remove_feed(feed_id=obj.pk, by=by, now=now)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        for feed in queryset:
            self.delete_model(request, feed)

    def get_deleted_objects(
        self, objs: Iterable[Feed], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        named = [f"{feed.name}. {_weddings_of(feed)}" for feed in objs]
        return named, {"feeds": len(named)}, set(), []

    @admin.action(description="Read now", permissions=["change"])
    def read_now(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        for feed in queryset:
            _read(request, feed)

    def press_read(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Within the request: a reading has a limit on its time and its size."""
        feed = get_object_or_404(Feed, pk=pk)
        if not self.has_change_permission(request, feed):
            raise PermissionDenied
        _read(request, feed)
        return _back(pk)

    def press_accept(self, request: HttpRequest, pk: int) -> HttpResponse:
        feed = get_object_or_404(Feed, pk=pk)
        if not request.user.has_perm(ATTEST):
            raise PermissionDenied
        by = request.user.get_username()
        if declaring.accept_feed(feed_id=pk, by=by, now=clock.now()):
            _read(request, feed)
        else:
            messages.warning(request, "There is nothing to accept: nothing was refused.")
        return _back(pk)


def _read(request: HttpRequest, feed: Feed) -> None:
    try:
        word = feeds.sync(feed_id=feed.pk, now=clock.now())
    except feeds.UnknownFeed as gone:
        messages.warning(request, str(gone))
        return
    if word.problem:
        messages.warning(request, f"{feed.name}: {word.problem}")
    elif word.outcome == feeds.WRITTEN:
        said = f"{feed.name}: {word.saved} weddings saved, {word.removed} removed"
        messages.info(request, f"{said}{_stops(word.stopped)}.")
    else:
        messages.info(request, f"{feed.name} was read; nothing has changed.")


def _stops(count: int) -> str:
    """Of a feed only their number is known, not which of them had begun."""
    if not count:
        return ""
    return f"; that stopped {count} test{'' if count == 1 else 's'}, running or scheduled"


def _weddings_of(feed: Feed) -> str:
    count = Wedding.objects.filter(source=feed.source, over_at__gt=clock.now()).count()
    if not count:
        return "It has no weddings ahead."
    whose = "Its 1 wedding ahead stays" if count == 1 else f"Its {count} weddings ahead stay"
    return f"{whose} in the calendar and protected; whoever is called off is cancelled by hand."


def _back(pk: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:calendar_guard_feed_change", args=[pk]))
