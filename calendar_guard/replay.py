"""A verdict with all that it rested on, so that it can be reached again: instants and ids only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from calendar_guard import rules, zones
from calendar_guard.words import verdict_from_json


@dataclass(frozen=True, slots=True)
class Question:
    start: datetime
    duration: timedelta
    now: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was answered then, and what today's rules answer to the same calendar."""

    then: rules.Verdict
    today: rules.Verdict
    rules_then: int

    @property
    def agrees(self) -> bool:
        """Compares the decision; a local time in a sentence may follow newer zone data."""
        return _decision(self.then) == _decision(self.today)


def keep(
    asked: Question, calendar: rules.Calendar, verdict: rules.Verdict, *, calendar_version: int
) -> dict[str, Any]:
    """JSON that `replay` reads. Protected days are resolved, so newer zone data moves nothing."""
    _, outlook = rules.judged_and_outlook(calendar.policy, zones.utc(asked.start), asked.duration)
    days = calendar.days or rules.resolve(calendar=calendar, outlook=outlook, now=asked.now)
    words: dict[str, Any] = msgspec.to_builtins(
        {"asked": asdict(asked), "calendar": asdict(replace(calendar, days=days))}
    )
    return words | {
        "verdict": verdict.as_json(),
        "versions": {
            "rules": rules.VERSION,
            "zones": zones.data_version(),
            "calendar": calendar_version,
        },
    }


def replay(data: Mapping[str, Any]) -> Replayed:
    """Judge again what `keep` kept. Raises ValueError where it is not such a thing."""
    try:
        asked = msgspec.convert(data["asked"], Question)
        calendar = msgspec.convert(data["calendar"], rules.Calendar)
        then, version = verdict_from_json(data["verdict"]), int(data["versions"]["rules"])
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise ValueError(f"This is no verdict that can be replayed: {error}.") from None
    today = rules.judge(
        calendar=calendar, start=asked.start, duration=asked.duration, now=asked.now
    )
    return Replayed(then, today, version)


def _decision(verdict: rules.Verdict) -> object:
    blockers = tuple((b.rule, b.start, b.end) for b in verdict.blockers)
    return verdict.safe, verdict.blocked_by, blockers, verdict.next_safe_window
