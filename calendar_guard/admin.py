from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

import clock
from calendar_guard import zones
from calendar_guard.forms import WeddingForm
from calendar_guard.models import Coordinator, Permit, Wedding

LIVE, COMPLETED = Wedding.Status.LIVE, Wedding.Status.COMPLETED

admin.site.site_header = admin.site.site_title = "WedSync load testing"
admin.site.index_title = "Weddings, people and permits"


class UpcomingFilter(admin.SimpleListFilter):
    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("upcoming", "Upcoming or under way"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Wedding]) -> QuerySet[Wedding]:
        upcoming = Q(status=LIVE) | Q(ends_at__gt=clock.now()) & ~Q(status=COMPLETED)
        if self.value() == "upcoming":
            return queryset.filter(upcoming)
        return queryset.exclude(upcoming) if self.value() == "over" else queryset


@admin.register(Wedding)
class WeddingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = WeddingForm
    list_display = ["title", "start", "end", "venue", "zone", "status"]
    list_filter = ["status", "zone", UpcomingFilter]
    search_fields = ["title", "venue"]
    filter_horizontal = ["coordinators"]
    readonly_fields = ["completed_at"]
    actions = ["complete"]
    fieldsets = [
        (None, {"fields": ["title", "venue", "zone", "starts_local", "ends_local"]}),
        ("Protection", {"fields": ["setup", "teardown", "status", "completed_at"]}),
        ("People", {"fields": ["coordinators", "guests", "notes"]}),
    ]

    @admin.display(ordering="starts_at")
    def start(self, wedding: Wedding) -> str:
        return zones.spoken(wedding.starts_at, wedding.zone)

    @admin.display(ordering="ends_at")
    def end(self, wedding: Wedding) -> str:
        return zones.spoken(wedding.ends_at, wedding.zone)

    @admin.action(description="Mark as completed now", permissions=["change"])
    def complete(self, request: HttpRequest, weddings: QuerySet[Wedding]) -> None:
        standing = weddings.exclude(status__in=[COMPLETED, Wedding.Status.CANCELLED])
        count = standing.update(status=COMPLETED, completed_at=clock.now())
        self.message_user(request, f"{count} completed; their protection ends after tear-down.")

    def save_model(self, request: HttpRequest, obj: Wedding, form: Any, change: bool) -> None:
        """A wedding ends when somebody presses "completed", whatever was planned."""
        if obj.status != COMPLETED:
            obj.completed_at = None
        elif obj.completed_at is None:
            obj.completed_at = clock.now()
        super().save_model(request, obj, form, change)
        self._confirm(request, obj)

    def _confirm(self, request: HttpRequest, wedding: Wedding) -> None:
        """To whoever saved it, with its title: the admin's log and its words have none."""
        when = f"{self.start(wedding)} until {self.end(wedding)}"
        self.message_user(request, f"“{wedding.title}” is from {when}.")
        planned = wedding.status in {Wedding.Status.TENTATIVE, Wedding.Status.CONFIRMED}
        if planned and wedding.ends_at + wedding.teardown <= clock.now():
            warning = "That lies wholly in the past, so it protects nothing; is the year right?"
            self.message_user(request, warning, messages.WARNING)


@admin.register(Coordinator)
class CoordinatorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "email", "phone", "slack_id", "language"]
    search_fields = ["name", "email"]


@admin.register(Permit)
class PermitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only: permits are granted, renewed and revoked by the guard's services."""

    list_display = ["id", "run_id", "label", "starts_at", "ends_at", "doing", "revoked_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Permit | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Permit | None = None) -> bool:
        return False
