"""Where ops say what load tests may reach; every change is an entry of the audit."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

import clock
from audit import services as audit
from runs import targets
from runs.models import Target


class Lines(forms.Field):
    """A list, one entry a line."""

    widget = forms.Textarea(attrs={"rows": 5, "cols": 50})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial or []) != self.to_python(data)


class TargetForm(forms.ModelForm):  # type: ignore[type-arg]
    hosts = Lines(
        help_text="One a line: shop.example, *.staging.example, 10.1.0.5 or 10.1.0.0/16. "
        "WEDSYNC_TARGET_NETWORKS, which this installation's settings name, stays the outer fence."
    )

    class Meta:
        model = Target
        fields = (
            *("name", "hosts", "environment", "is_open"),
            *("max_users", "max_rate", "max_duration", "concurrency"),
        )

    def clean_hosts(self) -> list[str]:
        try:
            patterns = [targets.check_pattern(line) for line in self.cleaned_data["hosts"]]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        return list(dict.fromkeys(patterns))

    def clean_max_duration(self) -> Any:
        longest = self.cleaned_data["max_duration"]
        if longest.total_seconds() < 1:
            raise forms.ValidationError(
                "A test lasts a second or more; write 01:00:00 for one hour."
            )
        return longest

    def clean_concurrency(self) -> int:
        if (number := int(self.cleaned_data["concurrency"])) < 1:
            raise forms.ValidationError("At least one at a time; close the target to allow none.")
        return number


@admin.register(Target)
class TargetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = TargetForm
    list_display = ("name", "reached_as", "environment", "is_open", "max_users", "max_rate")
    list_filter = ("environment", "is_open")
    search_fields = ("name",)

    @admin.display(description="hosts")
    def reached_as(self, target: Target) -> str:
        return ", ".join(map(str, target.hosts))

    def save_model(self, request: HttpRequest, obj: Target, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._tell(request, obj, "changed" if change else "added")

    def delete_model(self, request: HttpRequest, obj: Target) -> None:
        self._tell(request, obj, "deleted")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for target in queryset:
            self.delete_model(request, target)

    def _tell(self, request: HttpRequest, target: Target, what: str) -> None:
        audit.record(
            actor=request.user.get_username(),
            action=f"target.{what}",
            subject=f"target {target.pk}",
            data={name: str(getattr(target, name)) for name in TargetForm.Meta.fields},
            now=clock.now(),
        )
