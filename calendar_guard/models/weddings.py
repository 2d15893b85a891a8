from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from calendar_guard import lasting, zones

# No set-up or tear-down is longer, so a query knows how far back a wedding can still protect.
LONGEST_MARGIN = timedelta(days=7)
# A week by the wall lasts an hour more over the night in which the clocks go back.
LONGEST_WEDDING = lasting.LONGEST + timedelta(days=1)
LONGEST_PROTECTION = LONGEST_WEDDING + 2 * LONGEST_MARGIN
# A year mistyped as 20266 must not bring the judge to the edge of what a date can hold.
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def validate_zone(name: str) -> None:
    if name in zones.names():
        return
    near = get_close_matches(name, zones.names(), n=1)
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
    # Worked out by `settle`, so that a query can find what protects without reading every row.
    wall_start = models.CharField(max_length=19, editable=False)
    wall_end = models.CharField(max_length=19, editable=False)
    zone_data = models.CharField(max_length=16, editable=False)
    over_at = models.DateTimeField(editable=False)
    guarded_from = models.DateTimeField(editable=False)
    guarded_until = models.DateTimeField(editable=False)
    source = models.CharField(max_length=100, blank=True, editable=False)
    uid = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        ordering = ["starts_at"]
        indexes = [
            models.Index(fields=["guarded_from", "guarded_until"], name="wedding_guarded"),
            models.Index(fields=["guarded_until", "guarded_from"], name="wedding_ahead"),
            models.Index(fields=["zone", "over_at"], name="wedding_zone"),
            models.Index(fields=["id"], condition=Q(status="live"), name="wedding_live"),
            models.Index(fields=["starts_at"], name="wedding_start"),
        ]
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

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        self.settle()
        if update_fields is not None:
            update_fields = {*update_fields, *SETTLED}
        super().save(update_fields=update_fields, **options)

    def settle(self) -> None:
        """Work out what follows from the other fields; whoever writes in bulk calls it first."""
        zone = zones.find(self.zone)
        self.wall_start = zones.local_text(self.starts_at, zone)
        self.wall_end = zones.local_text(self.ends_at, zone)
        self.zone_data = zones.data_version()
        if self.status == Wedding.Status.CANCELLED:
            self.over_at = self.guarded_from = self.guarded_until = FIRST
            return
        if self.status == Wedding.Status.LIVE:
            self.over_at = self.guarded_until = LAST
            self.guarded_from = self.starts_at - self.setup
            return
        completed = self.completed_at if self.status == Wedding.Status.COMPLETED else None
        self.over_at = completed or self.ends_at
        self.guarded_until = self.over_at + self.teardown
        # One that was completed weeks late protects its tear-down only: queries look back no more.
        self.guarded_from = max(
            self.starts_at - self.setup, self.guarded_until - LONGEST_PROTECTION
        )

    def follow_zone(self) -> bool:
        """Read the local times again with today's zone data; whether an instant moved by that."""
        before = self.starts_at, self.ends_at
        self.starts_at = zones.earliest(datetime.fromisoformat(self.wall_start), self.zone)
        self.ends_at = zones.latest(datetime.fromisoformat(self.wall_end), self.zone)
        return before != (self.starts_at, self.ends_at)

    def keep_local_times(self, known: "Wedding") -> None:
        """Where the row as it is `known` has old zone data, a time nobody moved stays on the wall.

        Otherwise whatever is written before it followed new zone data would lose its local time.
        """
        if known.zone_data == zones.data_version() or self.zone != known.zone:
            return
        times = {name: getattr(self, name) for name in ("starts_at", "ends_at")}
        self.wall_start, self.wall_end = known.wall_start, known.wall_end
        self.follow_zone()
        for name, moment in times.items():
            if moment != getattr(known, name):
                setattr(self, name, moment)

    def may_go_on(self, now: datetime) -> bool:
        """From its set-up on: pressed by mistake, "still going" would protect for weeks."""
        return self.starts_at - self.setup <= now

    def may_be_over(self, now: datetime) -> bool:
        """From its start on: completed by mistake, it would be protected no more."""
        return self.starts_at <= now


SETTLED = (
    *("wall_start", "wall_end", "zone_data"),
    *("over_at", "guarded_from", "guarded_until"),
)
