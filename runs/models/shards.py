from django.db import models

from runs.models.runs import Run


class Shard(models.Model):
    """One worker's part of a run that several workers carry."""

    class State(models.TextChoices):
        WAITING = "waiting"
        PREPARING = "preparing"
        READY = "ready"
        RUNNING = "running"
        ENDED = "ended"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="parts")
    index = models.PositiveSmallIntegerField(help_text="From 0.")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    worker = models.CharField(max_length=300, blank=True, help_text="Host and process.")
    host = models.CharField(max_length=255, blank=True)
    heartbeat_at = models.DateTimeField(null=True)

    version = models.CharField(max_length=80, blank=True)
    plan = models.JSONField(null=True)
    notes = models.TextField(blank=True)
    # What the script prepared once for all shards: it may hold tokens, and goes when they have it.
    setup = models.BinaryField(null=True)
    # The kinds of its metrics and the last values of its gauges, as it knows them by now.
    metrics = models.JSONField(default=dict)

    process_group = models.PositiveIntegerField(null=True)
    process_born = models.PositiveBigIntegerField(null=True)
    process_mark = models.CharField(max_length=32, default="", editable=False)
    exit_code = models.IntegerField(null=True)
    processes_left = models.PositiveIntegerField(null=True)
    # Empty after a natural end, else failed, aborted or errored, and why in a sentence.
    outcome = models.CharField(max_length=12, blank=True)
    why = models.TextField(blank=True)
    own = models.JSONField(default=list)
    log_tail = models.TextField(blank=True)

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["run", "index"], name="one_shard_for_each_part"),
            models.UniqueConstraint(
                fields=["run", "worker"],
                condition=~models.Q(worker=""),
                name="one_shard_of_a_run_for_each_worker",
            ),
        ]

    def __str__(self) -> str:
        return f"shard {self.index + 1} of {self.run_id}"


class ShardSecond(models.Model):
    """A closed second on its way from a shard to whoever merges it (`runs.samples.cells`)."""

    shard = models.ForeignKey(Shard, on_delete=models.CASCADE, related_name="seconds")
    at = models.BigIntegerField(help_text="Seconds since 1970, by the calendar's clock.")
    users = models.PositiveIntegerField(null=True)
    cells = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shard", "at"], name="one_second_of_a_shard")
        ]

    def __str__(self) -> str:
        return f"shard {self.shard_id} at {self.at}"
