from django.contrib import admin
from django.http import HttpRequest

from calendar_guard.models import Permit


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
