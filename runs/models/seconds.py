from django.db import models

from runs.models.runs import Run


class Snapshot(models.Model):
    """A closed second, or several rolled up: the words as streamed, and what merges.

    `sketch` holds the latencies of all requests; `cells` every key's tally (`runs.samples.cells`).
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="snapshots")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    data = models.JSONField()
    width = models.PositiveSmallIntegerField(default=1, help_text="Seconds: 1, 10 or 60.")
    sketch = models.BinaryField()
    cells = models.BinaryField(default=b"")

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(fields=["run", "width", "at"], name="one_snapshot_a_second")
        ]

    def __str__(self) -> str:
        return f"run {self.run_id} at {self.at:%H:%M:%S}"
