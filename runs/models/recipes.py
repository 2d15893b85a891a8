"""What a plan and a run share, and the saved plan."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from runs.request import Request
from runs.tools import tool_names

MOST_SHARDS = 100


def _tools() -> list[tuple[str, str]]:
    return [(name, name) for name in tool_names()]


class Recipe(models.Model):
    """Which tool does what to whom, and what would be a failure."""

    name = models.CharField(max_length=120)
    tool = models.CharField(max_length=20, choices=_tools)
    script = models.TextField(help_text="The text of the tool's own script, run unchanged.")
    files = models.JSONField(
        default=dict,
        blank=True,
        help_text='What the script reads beside itself: {"guests.csv": "name,seat"}.',
    )
    target = models.CharField(
        max_length=500, help_text="http(s) address; reaches the script as TARGET."
    )
    duration = models.DurationField(
        help_text="The worst case, judged by the calendar and enforced as a hard stop."
    )
    users = models.PositiveIntegerField(null=True, blank=True)
    shards = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_SHARDS)],
        help_text="On how many workers at once.",
    )
    thresholds = models.JSONField(
        default=list, blank=True, help_text='What would be a failure: ["p95 > 800ms"].'
    )
    variables = models.JSONField(
        default=dict, blank=True, help_text='What the script reads: {"GUESTS": "200"}. No secrets.'
    )
    secrets = models.JSONField(
        default=dict,
        blank=True,
        help_text='Names of secrets, never their values: {"API_TOKEN": "guest-api"}.',
    )
    hosts = models.JSONField(
        default=dict,
        blank=True,
        help_text='Where a host of the script is found: {"shop.example": "127.0.0.1:9000"}.',
    )
    ca = models.TextField(
        blank=True, help_text="Certificate authority (PEM) that the script trusts as well."
    )
    tags = models.JSONField(default=list, blank=True, help_text='Words to find it by: ["rsvp"].')
    notes = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def request(self) -> Request:
        """The request behind a plan or a run."""
        return Request(**{name: getattr(self, name) for name in Request.__dataclass_fields__})


class Plan(Recipe):
    baseline = models.ForeignKey(
        "runs.Run",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The run that others of this plan are compared with.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
