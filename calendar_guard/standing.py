"""What is in force: how far the calendar is known, and by which versions it is judged."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calendar_guard import reading, rules, zones
from calendar_guard.days import NAMES
from calendar_guard.models import Feed, Hold, Revision
from clock.iso import format_duration


@dataclass(frozen=True, slots=True)
class FeedWord:
    """`state` is fresh, stale, broken, never read or not in use; `problem` says why."""

    id: int
    name: str
    state: str
    last_read_at: datetime | None
    events: int
    problem: str

    def as_json(self) -> dict[str, Any]:
        read = self.last_read_at and self.last_read_at.isoformat()
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "last_read_at": read,
            "events": self.events,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class HoldWord:
    """In force or to come. The reason may hold names: it is for those who may see holds."""

    id: int
    reason: str
    start: datetime
    end: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """No test may start that would go on after `complete_until`; None is without such an end."""

    complete_until: datetime | None
    stale: bool
    why: str
    feeds: tuple[FeedWord, ...]
    attested_until: datetime | None

    def as_json(self) -> dict[str, Any]:
        return {
            "complete_until": self.complete_until and self.complete_until.isoformat(),
            "stale": self.stale,
            "why": self.why,
            "feeds": [feed.as_json() for feed in self.feeds],
            "attested_until": self.attested_until and self.attested_until.isoformat(),
        }


def freshness(*, now: datetime) -> Freshness:
    until, why = reading.completeness(now)
    attested = reading.attested_until(now)
    return Freshness(
        complete_until=until and zones.utc(until),
        stale=until is not None and until <= now,
        why=why,
        feeds=tuple(_word(feed, now) for feed in Feed.objects.all()),
        attested_until=attested and zones.utc(attested),
    )


def holds(*, now: datetime) -> tuple[HoldWord, ...]:
    """In force and to come, by start."""
    rows = Hold.objects.filter(lifted_at=None, ends_at__gt=now).order_by("starts_at", "pk")
    return tuple(
        HoldWord(
            row.pk, row.reason, zones.utc(row.starts_at), zones.utc(row.ends_at), row.created_by
        )
        for row in rows
    )


def policy_words(*, now: datetime) -> dict[str, Any]:
    """The whole policy in force as JSON words: names of days and zones, ISO 8601 durations."""
    policy = reading.policy()
    revision = Revision.objects.filter(pk=1).values_list("number", flat=True).first() or 0
    return {
        "protected_weekdays": [NAMES[day] for day in policy.protected_weekdays],
        "zones": sorted({*policy.zones, *reading.venue_zones(now)}),
        "operating_zones": list(policy.zones),
        "home_zone": policy.home_zone,
        "buffer": format_duration(policy.buffer),
        "stop_time": format_duration(policy.stop_time),
        "monday_hour": policy.monday_hour,
        "monday_zone": policy.home_zone,
        "horizon": format_duration(policy.horizon),
        "season": {"months": list(policy.season), "zone": policy.home_zone},
        "versions": {
            "rules": rules.VERSION,
            "zone_data": zones.data_version(),
            "calendar": revision,
        },
        "calendar": freshness(now=now).as_json(),
    }


def _word(feed: Feed, now: datetime) -> FeedWord:
    return FeedWord(
        id=feed.pk,
        name=feed.name,
        state=feed.state(now) if feed.is_active else "not in use",
        last_read_at=feed.good_at and zones.utc(feed.good_at),
        events=feed.event_count,
        problem=feed.trouble(now) if feed.is_active else "",
    )
