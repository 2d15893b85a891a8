from django.db import models
from django.db.models import F, Q


class Permit(models.Model):
    """The guard's yes to one run. It is in force until its end, unless revoked or given back."""

    run_id = models.CharField(max_length=64, db_index=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    target = models.CharField(max_length=500)
    label = models.CharField(max_length=200)
    link = models.CharField(max_length=500, blank=True)
    verdict = models.JSONField()
    granted_at = models.DateTimeField()
    renewed_at = models.DateTimeField(help_text="Real time: this is the run's lease.")
    doing = models.CharField(max_length=200, blank=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True)
    revoked_why = models.TextField(blank=True)
    given_back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [("view_verdict", "Can ask whether a load test may run")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="permit_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"permit {self.pk}"
