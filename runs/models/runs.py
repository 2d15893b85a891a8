from django.conf import settings
from django.db import models

from runs.models.recipes import Plan, Recipe
from runs.models.schedules import Schedule
from runs.models.targets import Target


class State(models.TextChoices):
    REQUESTED = "requested"
    REFUSED = "refused"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    PREPARING = "preparing"
    READY = "ready"
    RUNNING = "running"
    STOPPING = "stopping"
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"
    ERRORED = "errored"
    LOST = "lost"


GOING = (State.PREPARING, State.READY, State.RUNNING)
HELD_BY_A_WORKER = (*GOING, State.STOPPING)
WAITING = (State.SCHEDULED, State.QUEUED, State.REQUESTED)
OPEN = (*WAITING, *HELD_BY_A_WORKER)


class Run(Recipe):
    plan = models.ForeignKey(Plan, null=True, on_delete=models.SET_NULL, related_name="runs")
    schedule = models.ForeignKey(
        Schedule, null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    rolled_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    is_dry = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State, default=State.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    idempotency_key = models.CharField(max_length=200, null=True)
    created_at = models.DateTimeField()
    scheduled_for = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    calendar = models.JSONField(null=True)
    permit_id = models.BigIntegerField(null=True)
    verdict = models.JSONField(null=True)
    totals = models.JSONField(null=True)
    endpoints = models.JSONField(default=list)
    metrics = models.JSONField(default=list)
    breaches = models.JSONField(default=list)
    # When all its seconds stood in wider spans too: from then on they may be forgotten.
    rolled_at = models.DateTimeField(null=True)

    # The address that is loaded, host and port: tests of one site wait for each other.
    site = models.CharField(max_length=300, blank=True)
    allowed_by = models.ForeignKey(Target, null=True, on_delete=models.SET_NULL, related_name="+")
    tool_plan = models.JSONField(null=True)

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
    process_mark = models.CharField(max_length=32, default="", editable=False)

    class Meta:
        ordering = ["-id"]
        permissions = [("stop_run", "Can stop a running test")]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"], name="one_run_per_idempotency_key"
            )
        ]
        indexes = [
            models.Index(fields=["state", "heartbeat_at"]),
            models.Index(fields=["site", "state"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"
