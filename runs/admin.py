from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

import clock
from runs import services
from runs.models import Plan, Run


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Plan
        fields = ("name", "tool", "script", "target", "duration", "users", "thresholds")

    def clean(self) -> dict[str, Any]:
        words = super().clean() or {}
        if not self.errors:
            try:
                services.check(services.Request(**words))
            except services.Invalid as error:
                raise forms.ValidationError({error.field: str(error)}) from None
        return words


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = PlanForm
    list_display = ("name", "tool", "target", "duration", "users", "created_by")
    list_filter = ("tool",)
    search_fields = ("name", "target")

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        if not change:
            obj.created_by, obj.created_at = request.user, clock.now()  # type: ignore[assignment]
        super().save_model(request, obj, form, change)


@admin.register(Run)
class RunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """History is read, never edited: runs start and stop on the pages and over REST."""

    list_display = ("id", "name", "state", "tool", "target", "requested_by", "created_at")
    list_filter = ("state", "tool")
    search_fields = ("name", "target")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        return False
