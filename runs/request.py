"""What an engineer asks for, and the refusal of it."""

from dataclasses import dataclass, field
from datetime import timedelta


class Invalid(ValueError):
    """The request cannot be a test; `field` is the word that is wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Request:
    """What an engineer asks for. `duration` is the worst case and the hard stop."""

    name: str
    tool: str
    script: str
    target: str
    duration: timedelta
    users: int | None = None
    shards: int = 1
    thresholds: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    ca: str = ""
    tags: list[str] = field(default_factory=list)
    notes: str = ""
