"""The scripts of the Saturday guest rush, ready to be put into the form of a new test."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Example:
    tool: str
    file: str
    name: str = "Saturday guest rush"
    minutes: int = 2
    users: int = 20
    thresholds: tuple[str, ...] = ("p95 > 800ms", "errors > 5%")

    @property
    def script(self) -> str:
        path = settings.BASE_DIR / "examples" / self.file
        return path.read_text(encoding="utf-8")


EXAMPLES = (
    Example("k6", "k6/guest_rush.js"),
    Example("locust", "locust/guest_rush.py"),
    Example("artillery", "artillery/guest-rush.yml"),
)
