"""Targets in words: whom load tests may reach, and how hard."""

from dataclasses import asdict, dataclass
from typing import Any

from clock.iso import format_duration
from runs.models import Target


@dataclass(frozen=True)
class TargetWord:
    """`hosts` are patterns; None is no cap; `max_duration` is ISO 8601."""

    id: str
    name: str
    hosts: list[str]
    environment: str
    max_users: int | None
    max_rate: int | None
    max_duration: str
    concurrency: int
    is_open: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def list_targets() -> list[TargetWord]:
    return [_word(row) for row in Target.objects.all()]


def _word(row: Target) -> TargetWord:
    return TargetWord(
        id=str(row.pk),
        name=row.name,
        hosts=list(map(str, row.hosts)),
        environment=row.environment,
        max_users=row.max_users,
        max_rate=row.max_rate,
        max_duration=format_duration(row.max_duration),
        concurrency=row.concurrency,
        is_open=row.is_open,
    )
