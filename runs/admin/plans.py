from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

import clock
from runs import services
from runs.models import Plan


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Plan
        fields = (
            *("name", "tool", "script", "files", "target", "duration", "users", "shards"),
            *("thresholds", "variables", "secrets", "hosts", "ca", "tags", "notes"),
        )

    def clean_tags(self) -> list[str]:
        try:
            return services.read_tags(self.cleaned_data["tags"])
        except services.Invalid as error:
            raise forms.ValidationError(str(error)) from None

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
