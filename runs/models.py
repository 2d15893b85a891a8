"""What stays of a load test: the saved plan, the run and its seconds."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models

from runs.tools import tool_names


class State(models.TextChoices):
    REQUESTED = "requested"
    REFUSED = "refused"
    PREPARING = "preparing"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"
    ERRORED = "errored"
    LOST = "lost"


HELD_BY_A_WORKER = (State.PREPARING, State.READY, State.RUNNING, State.STOPPING)
OPEN = (State.REQUESTED, *HELD_BY_A_WORKER)


def _tools() -> list[tuple[str, str]]:
    return [(name, name) for name in tool_names()]


class Recipe(models.Model):
    """What a plan and a run share: which tool does what to whom, and what would be a failure."""

    name = models.CharField(max_length=120)
    tool = models.CharField(max_length=20, choices=_tools)
    script = models.TextField(help_text="The text of the tool's own script, run unchanged.")
    target = models.CharField(
        max_length=500, help_text="http(s) address; reaches the script as TARGET."
    )
    duration = models.DurationField(
        help_text="The worst case, judged by the calendar and enforced as a hard stop."
    )
    users = models.PositiveIntegerField(null=True, blank=True)
    thresholds = models.JSONField(
        default=list, blank=True, help_text='What would be a failure: ["p95 > 800ms"].'
    )

    class Meta:
        abstract = True


class Plan(Recipe):
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RunQuerySet(models.QuerySet["Run"]):
    def move(self, run_id: int, *, of: Iterable[str], to: str, **fields: Any) -> bool:
        """Compare-and-swap: False means that someone else moved the run first."""
        return self.filter(pk=run_id, state__in=list(of)).update(state=to, **fields) == 1


class Run(Recipe):
    plan = models.ForeignKey(Plan, null=True, on_delete=models.SET_NULL, related_name="runs")
    state = models.CharField(max_length=12, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    idempotency_key = models.CharField(max_length=200, null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    calendar = models.JSONField(null=True)
    permit_id = models.BigIntegerField(null=True)
    verdict = models.JSONField(null=True)
    totals = models.JSONField(null=True)
    endpoints = models.JSONField(default=list)

    tool_version = models.CharField(max_length=80, blank=True)
    latency_kind = models.CharField(max_length=120, blank=True)
    log_tail = models.TextField(blank=True)
    exit_code = models.IntegerField(null=True)
    processes_left = models.PositiveIntegerField(null=True)

    # Who drives the run: a lease in real time, and what identifies its processes.
    heartbeat_at = models.DateTimeField()
    host = models.CharField(max_length=255, blank=True)
    process_group = models.PositiveIntegerField(null=True)
    process_born = models.PositiveBigIntegerField(null=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        permissions = [("stop_run", "Can stop a running test")]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"], name="one_run_per_idempotency_key"
            )
        ]
        indexes = [models.Index(fields=["state", "heartbeat_at"])]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


class Snapshot(models.Model):
    """One closed second: the words as streamed, and the sketch that percentiles merge from."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="snapshots")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    data = models.JSONField()
    sketch = models.BinaryField()

    class Meta:
        ordering = ["at"]
        constraints = [models.UniqueConstraint(fields=["run", "at"], name="one_snapshot_a_second")]

    def __str__(self) -> str:
        return f"run {self.run_id} at {self.at:%H:%M:%S}"
