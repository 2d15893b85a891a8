from django.conf import settings
from django.db import models

from runs.models.recipes import Plan


class Schedule(models.Model):
    """A plan that is started by the clock: once, again and again, or in the next safe window."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="schedules")
    starts_at = models.DateTimeField(
        null=True, blank=True, help_text="The first start; empty means in the next safe window."
    )
    rule = models.CharField(
        max_length=500, blank=True, help_text="Repeats (RFC 5545): FREQ=WEEKLY;BYDAY=TU,WE."
    )
    zone = models.CharField(
        max_length=64, default="UTC", help_text="The rule's hours are those of this IANA zone."
    )
    rolls = models.BooleanField(
        default=False, help_text="A start that the calendar forbids rolls to the next safe window."
    )
    next_at = models.DateTimeField(null=True, editable=False)
    ended_why = models.CharField(max_length=500, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ["next_at", "pk"]

    def __str__(self) -> str:
        return f"{self.plan} by schedule {self.pk}"
