from django.db import models

from calendar_guard.models.weddings import Wedding


class Revision(models.Model):
    """One row: how often the calendar was written. A verdict names the revision it saw."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"revision {self.number}"


class Change(models.Model):
    """A value that somebody changed. It may be a name, so it goes when its wedding goes."""

    wedding = models.ForeignKey(Wedding, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    field = models.CharField(max_length=32)
    old = models.TextField(blank=True)
    new = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"change {self.pk}"
