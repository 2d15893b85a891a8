"""The guard's words. Instants are aware and come out in UTC; every span is half-open."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from calendar_guard import zones


@dataclass(frozen=True, slots=True)
class Window:
    start: datetime
    end: datetime

    def touches(self, other: "Window") -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Policy:
    protected_weekdays: tuple[int, ...] = (5,)  # as date.weekday(): Monday is 0
    zones: tuple[str, ...] = ("Europe/London",)
    home_zone: str = "Europe/London"
    season: tuple[int, ...] = (5, 6, 7, 8, 9, 10)  # months, in the home zone
    buffer: timedelta = timedelta(minutes=15)
    stop_time: timedelta = timedelta(minutes=1)
    monday_hour: int = 8
    horizon: timedelta = timedelta(days=56)

    @property
    def before(self) -> timedelta:
        """What a run needs free before its start."""
        return self.buffer

    @property
    def after(self) -> timedelta:
        """What a run needs free after its end."""
        return self.stop_time + self.buffer

    def around(self, span: Window) -> Window:
        """What must be free for a run in this span."""
        return Window(span.start - self.before, span.end + self.after)


GOES_ON = timedelta(minutes=1)
"""How much longer a live wedding protects at least, though it has no tear-down."""


@dataclass(frozen=True, slots=True)
class WeddingSpan:
    id: int
    zone: str
    starts_at: datetime
    ends_at: datetime
    setup: timedelta
    teardown: timedelta
    status: str  # tentative, confirmed, live, completed, cancelled
    completed_at: datetime | None = None

    def lasts_until(self, now: datetime) -> datetime:
        """Completed ends at the pressing; live goes on until then, at least to its planned end."""
        planned = zones.utc(self.ends_at)
        if self.status == "completed" and self.completed_at is not None:
            return zones.utc(self.completed_at)
        return max(planned, now) if self.status == "live" else planned

    def protection(self, now: datetime) -> Window | None:
        """From set-up to tear-down, a live one from now at the latest; None if nothing is left."""
        if self.status == "cancelled":
            return None
        begins = zones.utc(self.starts_at) - self.setup
        ends = self.lasts_until(now) + self.teardown
        if self.status == "live":
            begins, ends = min(begins, now), max(ends, now + GOES_ON)
        span = Window(begins, ends)
        return span if span.start < span.end else None


@dataclass(frozen=True, slots=True)
class HoldSpan:
    """A coordinator's "do not test"."""

    id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A protected weekday as its zone's calendar has it, resolved to instants."""

    name: str
    zone: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Days:
    """What zone data says of an outlook: the protected days, and the mornings a week begins."""

    days: tuple[Day, ...]
    mornings: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """All that a judge may know.

    `weddings` must hold every one that touches the judged interval. Those that lie ahead may stand
    in `ahead` instead: as the spans they protect, without saying who. `venue_zones` are zones in
    force of weddings that are not listed. From `complete_until` on nobody knows what there is.
    `days` are resolved when the judge is asked, unless they are given, as in a replay.
    """

    policy: Policy
    weddings: tuple[WeddingSpan, ...] = ()
    holds: tuple[HoldSpan, ...] = ()
    ahead: tuple[Window, ...] = ()
    venue_zones: tuple[str, ...] = ()
    complete_until: datetime | None = None
    incomplete_why: str = ""
    days: Days | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why not, and when. Without an `end` nobody can say yet."""

    rule: str
    what: str
    start: datetime
    end: datetime | None

    def as_json(self) -> dict[str, str | None]:
        return {
            "rule": self.rule,
            "what": self.what,
            "from": self.start.isoformat(),
            "until": self.end.isoformat() if self.end else None,
        }


NO_WINDOW = "; no window of "


@dataclass(frozen=True, slots=True)
class Verdict:
    safe: bool
    reason: str
    blockers: tuple[Blocker, ...]
    next_safe_window: Window | None

    @property
    def blocked_by(self) -> str:
        """The reason, but for whether a window fits, which never stopped a run."""
        return self.reason.partition(NO_WINDOW)[0]

    def as_json(self) -> dict[str, Any]:
        window = self.next_safe_window
        return {
            "safe": self.safe,
            "reason": self.reason,
            "blockers": [blocker.as_json() for blocker in self.blockers],
            "next_safe_window": window
            and {"start": window.start.isoformat(), "end": window.end.isoformat()},
        }


def verdict_from_json(data: dict[str, Any]) -> Verdict:
    window = data["next_safe_window"]
    return Verdict(
        safe=data["safe"],
        reason=data["reason"],
        blockers=tuple(
            Blocker(b["rule"], b["what"], _instant(b["from"]), b["until"] and _instant(b["until"]))
            for b in data["blockers"]
        ),
        next_safe_window=window and Window(_instant(window["start"]), _instant(window["end"])),
    )


def _instant(text: str) -> datetime:
    return zones.utc(datetime.fromisoformat(text))
