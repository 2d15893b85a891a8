from datetime import timedelta

from django.db import models


class Target(models.Model):
    """What load tests may reach, and how hard. Networks that settings name stay the outer fence."""

    class Environment(models.TextChoices):
        LOCAL = "local"
        TEST = "test"
        STAGING = "staging"
        PRODUCTION = "production"

    name = models.CharField(max_length=120, unique=True)
    hosts = models.JSONField(
        help_text='Host patterns: ["localhost", "*.staging.example", "10.1.0.0/16"].'
    )
    environment = models.CharField(max_length=12, choices=Environment, default=Environment.TEST)
    max_users = models.PositiveIntegerField(null=True, blank=True)
    max_rate = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="A second: arrivals or iterations as the tool plans them, and requests while the "
        "test runs, which is stopped where it makes more for some seconds.",
    )
    max_duration = models.DurationField(default=timedelta(hours=24))
    concurrency = models.PositiveSmallIntegerField(
        default=1, help_text="How many tests may run against one address of it at a time."
    )
    is_open = models.BooleanField(default=True, help_text="Closed: no new test may begin.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
