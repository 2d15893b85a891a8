from typing import Any, NoReturn

from django.db import models

# The longest that each label of an entry may be.
LABELS = {"actor": 150, "action": 100, "subject": 200}


class AppendOnly(TypeError):
    """Something tried to change or remove an entry."""

    def __init__(self) -> None:
        super().__init__("Audit entries are append-only: they cannot be changed or removed.")


class Entries(models.QuerySet["Entry"]):
    def update(self, **changes: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class Entry(models.Model):
    """Written by `audit.services.record` alone; triggers hold what this class promises."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=LABELS["actor"])
    action = models.CharField(max_length=LABELS["action"])
    subject = models.CharField(max_length=LABELS["subject"])
    body = models.TextField(help_text="The canonical JSON exactly as hashed.")
    previous = models.CharField(max_length=64, unique=True, help_text="So the chain cannot fork.")
    hash = models.CharField(max_length=64, unique=True)
    version = models.PositiveSmallIntegerField(help_text="Of the format that was hashed.")

    objects = Entries.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "entries"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["action", "id"], name="audit_entry_by_action"),
            models.Index(fields=["subject", "id"], name="audit_entry_by_subject"),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnly
