"""Where engineers let the clock start a plan; the next starts are shown as the calendar sees them.

A schedule is never edited: cancel it and add another, so that what was promised stays readable.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

import clock
from runs import services
from runs.models import Schedule
from runs.waiting import schedules
from runs.waiting.occurrences import BadZone, find_zone


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """The first start is read on the clock of the zone that is named below it."""

    class Meta:
        model = Schedule
        fields = ("plan", "starts_at", "zone", "rule", "rolls")
        labels = {"starts_at": "First start", "rolls": "Roll to the next safe window"}
        help_texts = {
            "starts_at": "On the clock of the zone below. Empty: once, in the next safe window.",
            "rule": "Empty: once. Else RFC 5545, such as FREQ=WEEKLY;BYDAY=TU,WE;BYHOUR=10.",
        }

    def clean(self) -> dict[str, Any]:
        words = super().clean() or {}
        if self.errors:
            return words
        try:
            words["starts_at"] = _on_the_clock_of(words["starts_at"], words["zone"])
            schedules.check_schedule(
                plan=words["plan"],
                starts_at=words["starts_at"],
                rule=words["rule"],
                zone=words["zone"],
                now=clock.now(),
            )
        except BadZone as error:
            raise forms.ValidationError({"zone": str(error)}) from None
        except services.Invalid as error:
            field = error.field if error.field in self.fields else "plan"
            raise forms.ValidationError({field: str(error)}) from None
        words["rolls"] = words["rolls"] or words["starts_at"] is None
        return words


@admin.register(Schedule)
class ScheduleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = ScheduleForm
    list_display = ("plan", "begins", "rule", "rolls", "next_start", "ended_why", "created_by")
    list_select_related = ("plan", "created_by")
    search_fields = ("plan__name",)
    actions = ("cancel",)

    @admin.display(description="First start")
    def begins(self, row: Schedule) -> str:
        return _spoken(row.starts_at, row.zone) if row.starts_at else "in the next safe window"

    @admin.display(description="Next start", ordering="next_at")
    def next_start(self, row: Schedule) -> str:
        return _spoken(row.next_at, row.zone) if row.next_at else "none"

    @admin.display(description="To come, as the calendar is today")
    def to_come(self, row: Schedule) -> SafeString | str:
        if row.ended_why:
            return row.ended_why
        lines = ((line,) for line in preview(row, clock.now()))
        return format_html_join(SafeString("<br>"), "{}", lines) or "nothing"

    def get_fields(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        if obj is None:
            return ScheduleForm.Meta.fields
        return ("plan", "begins", "zone", "rule", "rolls", "next_start", "to_come", "created_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Schedule | None = None) -> bool:
        return False

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("runs.delete_schedule")

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        now = clock.now()
        obj.created_by, obj.created_at = request.user, now  # type: ignore[assignment]
        super().save_model(request, obj, form, change)
        try:
            schedules.begin(obj.pk, now=now)
        except services.RunRefused as refusal:
            messages.error(request, f"It starts nothing, since the calendar says no: {refusal}.")
            return
        messages.info(request, format_html("To come:<br>{}", self.to_come(obj)))

    @admin.action(description="Cancel: no more starts", permissions=["cancel"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Schedule]) -> None:
        for row in rows:
            schedules.cancel_schedule(
                schedule_id=str(row.pk),
                by=request.user,  # type: ignore[arg-type]
                now=clock.now(),
            )
        count = len(rows)
        self.message_user(request, f"Cancelled {count} schedule{'' if count == 1 else 's'}.")


def preview(row: Schedule, now: datetime) -> list[str]:
    """The next three starts, each with what the calendar says to it today."""
    starts = schedules.next_starts(
        starts_at=row.starts_at,
        rule=row.rule,
        zone=row.zone,
        duration=row.plan.duration,
        now=now,
    )
    return [
        f"{_spoken(start.at, row.zone)}: "
        + ("safe" if start.verdict.safe else f"not safe, {start.verdict.reason}")
        for start in starts
    ]


def _on_the_clock_of(typed: datetime | None, zone: str) -> datetime | None:
    """The admin reads what is typed as UTC; here it is what a clock in the zone shows."""
    found = find_zone(zone)
    return typed.replace(tzinfo=found, fold=0) if typed else None


def _spoken(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {zone}"
