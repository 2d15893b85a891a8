from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

# No set-up or tear-down is longer, so a query knows how far back a wedding can still protect.
LONGEST_MARGIN = timedelta(days=7)
LONGEST_WEDDING = timedelta(days=7)
# A year mistyped as 20266 must not bring the judge to the edge of what a date can hold.
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def validate_zone(name: str) -> None:
    if name in known_zones():
        return
    near = get_close_matches(name, known_zones(), n=1)
    hint = f"; did you mean {near[0]}?" if near else "; write a name such as Europe/London."
    raise ValidationError(f"“{name}” is not a known time zone{hint}")


MARGIN = [
    MinValueValidator(timedelta(0), "This cannot be negative."),
    MaxValueValidator(LONGEST_MARGIN, "This cannot be longer than 7 days."),
]


class Coordinator(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=32, blank=True, help_text="International: +44 20 7946 0000")
    slack_id = models.CharField("Slack id", max_length=32, blank=True)
    language = models.CharField(max_length=10, default="en-gb")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Wedding(models.Model):
    """Instants are UTC; local times are those of `zone`, the venue's."""

    class Status(models.TextChoices):
        TENTATIVE = "tentative"
        CONFIRMED = "confirmed"
        LIVE = "live"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    title = models.CharField(max_length=200, help_text="Stays in the calendar: never in a metric.")
    venue = models.CharField(max_length=200, blank=True)
    zone = models.CharField(
        "time zone",
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="The venue's, by IANA name: Europe/Berlin.",
    )
    starts_at = models.DateTimeField("start")
    ends_at = models.DateTimeField("end")
    setup = models.DurationField(
        "set-up",
        default=timedelta(hours=2),
        validators=MARGIN,
        help_text="Protected before the start, as hours:minutes:seconds.",
    )
    teardown = models.DurationField(
        "tear-down",
        default=timedelta(hours=1),
        validators=MARGIN,
        help_text="Protected after the end, as hours:minutes:seconds.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.CONFIRMED)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    guests = models.PositiveIntegerField(null=True, blank=True)
    notes = models.TextField(blank=True)
    coordinators = models.ManyToManyField(Coordinator, blank=True, related_name="weddings")
    source = models.CharField(max_length=100, blank=True, editable=False)
    uid = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        ordering = ["starts_at"]
        indexes = [models.Index(fields=["ends_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="wedding_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(setup__range=(timedelta(0), LONGEST_MARGIN))
                & Q(teardown__range=(timedelta(0), LONGEST_MARGIN)),
                name="wedding_margins_within_a_week",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=FIRST, ends_at__lte=LAST),
                name="wedding_within_our_time",
            ),
            models.UniqueConstraint(
                fields=["source", "uid"], condition=~Q(uid=""), name="wedding_once_per_source"
            ),
        ]

    def __str__(self) -> str:
        """No title: this text lands in logs."""
        return f"wedding {self.pk}"


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
