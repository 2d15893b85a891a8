from datetime import datetime, timedelta

from django.db import models

from calendar_guard.models.weddings import LAST, validate_zone

# After this long without a good reading nobody knows what the calendar looks like.
STALE_AFTER = timedelta(hours=6)
LONGEST_ATTESTATION = timedelta(hours=24)
# So far the clocks of two machines may differ: what lies further ahead was kept by a false clock.
SKEW = timedelta(minutes=1)


class Feed(models.Model):
    """An iCalendar that is read again and again. Its weddings have `source` "feed ID"."""

    name = models.CharField(max_length=100, unique=True)
    url = models.CharField(
        "address",
        max_length=1000,
        help_text="https, webcal or file. Write a secret part as $WEDSYNC_FEED_NAME: it is"
        " taken from the environment, never kept here, and sent only to the host in"
        " WEDSYNC_FEED_NAME_HOST if that is set.",
    )
    zone = models.CharField(
        "time zone",
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="For times that the feed gives without a zone: Europe/Berlin.",
    )
    is_active = models.BooleanField(
        "in use", default=True, help_text="A feed that is not in use protects nothing new."
    )
    created_at = models.DateTimeField(editable=False)
    due_at = models.DateTimeField(editable=False, db_index=True)
    checked_at = models.DateTimeField("last tried", null=True, editable=False)
    good_at = models.DateTimeField("last read well", null=True, editable=False)
    broken_at = models.DateTimeField(
        null=True, editable=False, help_text="What came cannot be trusted; the old data is kept."
    )
    problem = models.TextField(blank=True, editable=False)
    known_until = models.DateTimeField(null=True, editable=False)
    event_count = models.PositiveIntegerField("events", default=0, editable=False)
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    accepted_digest = models.CharField(max_length=64, blank=True, editable=False)
    refused_digest = models.CharField(max_length=64, blank=True, editable=False)
    # Whose reading counts: a random word that each one sets as it begins.
    reading = models.CharField(max_length=32, blank=True, editable=False)
    # How many events started on each day to come when it had the most, within a week.
    most_at = models.DateTimeField(null=True, editable=False)
    most_by_day = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"feed {self.pk}"

    @property
    def source(self) -> str:
        return f"feed {self.pk}"

    def complete_until(self, now: datetime) -> datetime:
        """Until when its weddings are known; in the past once it is stale or broken."""
        if self.good_at is None or self.known_until is None or self.is_read_ahead(now):
            return min(self.created_at, now)
        stale_at = self.good_at + STALE_AFTER
        broken_at = min(self.broken_at, now) if self.broken_at else LAST
        return min(self.known_until, broken_at, stale_at if stale_at <= now else LAST)

    def is_read_ahead(self, now: datetime) -> bool:
        """By a clock that was set back since: that reading tells nothing of today."""
        return self.good_at is not None and self.good_at > now + SKEW

    def state(self, now: datetime) -> str:
        if self.complete_until(now) > now:
            return "fresh"
        if self.broken_at:
            return "broken"
        return "stale" if self.good_at else "never read"

    def trouble(self, now: datetime) -> str:
        """Why it stands in the way of a launch, for anybody; empty while it is fresh.

        `problem` has the details, for who keeps the feeds.
        """
        if self.complete_until(now) > now:
            return ""
        if self.broken_at:
            return "its content cannot be trusted; its page says why"
        if self.good_at is None:
            return "it was never read"
        if self.is_read_ahead(now):
            return "it was last read by a clock that was ahead"
        return f"it was last read {(now - self.good_at) // timedelta(hours=1)} h ago"


class Attestation(models.Model):
    """A coordinator's word that the calendar is complete until then, whatever the feeds say."""

    until = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    why = models.CharField(max_length=200)

    class Meta:
        ordering = ["-at"]
        permissions = [("attest_calendar", "Can confirm that the calendar is complete")]

    def __str__(self) -> str:
        return f"attestation {self.pk}"
