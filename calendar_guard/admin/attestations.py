from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest

import clock
from calendar_guard import declaring, reading, zones
from calendar_guard.admin.saying import SaysItself
from calendar_guard.forms import HomeTimeField, refuse
from calendar_guard.models import Attestation
from calendar_guard.models.feeds import LONGEST_ATTESTATION

LASTS = timedelta(hours=6)


class AttestationForm(forms.ModelForm):  # type: ignore[type-arg]
    until = HomeTimeField(starts=False, label="The calendar is complete until")

    class Meta:
        model = Attestation
        fields = ["until", "why"]
        labels = {"why": "How do you know?"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"until": clock.now() + LASTS} | dict(self.initial)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            with refuse(self):
                declaring.check_attestation(
                    until=cleaned["until"], why=cleaned["why"], now=clock.now()
                )
        return cleaned


@admin.register(Attestation)
class AttestationAdmin(SaysItself):
    """A word that was given is neither changed nor taken back; it runs out."""

    form = AttestationForm
    list_display = ["complete_until", "by", "given", "why"]

    def get_fieldsets(self, request: HttpRequest, obj: Attestation | None = None) -> Any:
        hours = LONGEST_ATTESTATION // timedelta(hours=1)
        city = zones.city(reading.policy().home_zone)
        said = (
            "Where a feed cannot be read, load tests may start again on your word that every"
            f" wedding until then is in this calendar. For {hours} hours at most; the time is"
            f" that of {city}. Your name and your answer are kept."
        )
        fields = list(self.list_display) if obj else ["until", "why"]
        return [(None, {"fields": fields, "description": "" if obj else said})]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Attestation | None = None
    ) -> list[str]:
        return ["complete_until", "given"]

    @admin.display(description="complete until", ordering="until")
    def complete_until(self, attestation: Attestation) -> str:
        over = "" if attestation.until > clock.now() else ", run out"
        return zones.spoken(attestation.until, reading.policy().home_zone) + over

    @admin.display(ordering="at")
    def given(self, attestation: Attestation) -> str:
        return zones.spoken(attestation.at, reading.policy().home_zone)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("calendar_guard.attest_calendar")

    def has_change_permission(self, request: HttpRequest, obj: Attestation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Attestation | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Attestation, form: Any, change: bool) -> None:
        by, now = request.user.get_username(), clock.now()
        obj.pk = declaring.attest(until=obj.until, why=obj.why, by=by, now=now)
        messages.info(request, f"The calendar counts as complete until {self.complete_until(obj)}.")
