from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

import clock
from calendar_guard import declaring, reading, zones
from calendar_guard.admin import impact
from calendar_guard.forms import HomeTimeField, ReturningForm, refuse
from calendar_guard.models import Hold

LASTS = timedelta(hours=2)
STANDING = {"in force", "to come"}


class HoldForm(ReturningForm):
    starts_at = HomeTimeField(starts=True, label="From")
    ends_at = HomeTimeField(starts=False, label="Until")

    class Meta:
        model = Hold
        fields = ["reason", "starts_at", "ends_at"]
        widgets = {"reason": forms.TextInput(attrs={"size": 60, "autofocus": True})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = clock.now()
        if not self.instance.pk:
            self.initial = {"starts_at": now, "ends_at": now + LASTS} | dict(self.initial)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk:  # a time nobody touched keeps its instant
            kept = {"starts_at", "ends_at"}.difference(self.changed_data)
            cleaned |= {name: getattr(self.instance, name) for name in kept}
        if not self.errors:
            with refuse(self):
                declaring.check_hold(
                    reason=cleaned["reason"],
                    starts_at=cleaned["starts_at"],
                    ends_at=cleaned["ends_at"],
                    now=clock.now(),
                )
        return cleaned


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("standing", "In force or to come"), ("past", "Over or lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        standing = Hold.objects.filter(lifted_at=None, ends_at__gt=clock.now())
        if self.value() == "standing":
            return queryset.filter(pk__in=standing)
        return queryset.exclude(pk__in=standing) if self.value() == "past" else queryset


@admin.register(Hold)
class HoldAdmin(impact.AsksFirst):
    """Placed in a few seconds, lifted by a button, never deleted: what was held stays known."""

    form = HoldForm
    fields = ["reason", "starts_at", "ends_at"]
    list_display = ["reason", "state", "begins", "ends", "created_by"]
    list_filter = [StateFilter]
    search_fields = ["reason", "created_by"]
    actions = ["lift"]

    @admin.display
    def state(self, hold: Hold) -> str:
        by = f" by {hold.lifted_by}" if hold.lifted_at else ""
        return hold.state(clock.now()) + by

    @admin.display(description="from", ordering="starts_at")
    def begins(self, hold: Hold) -> str:
        return zones.spoken(hold.starts_at, reading.policy().home_zone)

    @admin.display(description="until", ordering="ends_at")
    def ends(self, hold: Hold) -> str:
        return zones.spoken(hold.ends_at, reading.policy().home_zone)

    def get_urls(self) -> list[URLPattern]:
        press = self.admin_site.admin_view(require_POST(self.press_lift))
        return [path("<int:pk>/lift/", press, name="calendar_guard_hold_lift"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Hold | None = None) -> Any:
        """What cannot be changed any more is shown as a sentence would say it."""
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["reason", "state", "begins", "ends"]})]
        city = zones.city(reading.policy().home_zone)
        said = f"Nobody can start a load test in this time. Times are those of {city}."
        return [(None, {"fields": self.fields, "description": said})]

    def get_readonly_fields(self, request: HttpRequest, obj: Hold | None = None) -> list[str]:
        return ["state", "begins", "ends"]

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        standing = obj is None or obj.state(clock.now()) in STANDING
        return standing and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        hold = context.get("original")
        if hold and request.method == "GET":
            said = f"{hold.state(clock.now()).capitalize()}; placed by {hold.created_by}."
            context |= {"said": said, "may_lift": self.has_change_permission(request, hold)}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        now, by = clock.now(), request.user.get_username()
        if not change:
            obj.created_by, obj.created_at = by, now
        stopped = declaring.write_holds(save=[obj], by=by, now=now)
        impact.check(request, stopped)
        impact.tell(request, stopped)
        said = f"No load test may run from {self.begins(obj)} until {self.ends(obj)}."
        messages.info(request, said)

    @admin.action(description="Lift now", permissions=["change"])
    def lift(self, request: HttpRequest, holds: QuerySet[Hold]) -> None:
        standing = [hold.pk for hold in holds if self.has_change_permission(request, hold)]
        by = request.user.get_username()
        lifted = declaring.lift_holds(ids=standing, by=by, now=clock.now())
        holds_text = "1 hold is" if lifted == 1 else f"{lifted} holds are"
        self.message_user(request, f"{holds_text} lifted.")

    def press_lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        self.lift(request, Hold.objects.filter(pk=pk))
        return HttpResponseRedirect(reverse("admin:calendar_guard_hold_changelist"))
