from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

LONGEST_HOLD = timedelta(days=31)


class Hold(models.Model):
    """A coordinator's "do not test": it needs no reason that a machine understands, and it ends."""

    reason = models.CharField(max_length=200, help_text="Why nobody should test; name no couple.")
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("until")
    created_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(editable=False)
    lifted_at = models.DateTimeField(null=True, editable=False)
    lifted_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["-starts_at"]
        indexes = [models.Index(fields=["ends_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="hold_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    def state(self, now: datetime) -> str:
        if self.lifted_at:
            return "lifted"
        if self.ends_at <= now:
            return "over"
        return "in force" if self.starts_at <= now else "to come"
