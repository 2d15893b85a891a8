"""`judge` works with intervals; it must agree with the sentences painted minute by minute."""

import os
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test.utils import override_settings
from hypothesis import event, given, settings
from hypothesis import strategies as st

from calendar_guard import services, zones
from calendar_guard.models import Feed, Hold, Wedding
from calendar_guard.rules import Calendar, HoldSpan, Policy, WeddingSpan, judge
from tests.calendar_guard import reference
from tests.calendar_guard.examples import DAY, HOUR, MINUTE, at

GUARD = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))
ZONES = [
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Auckland",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/Havana",  # falls back over midnight: its Sunday begins twice
    "America/Santiago",  # its Saturday of April lasts 25 hours
    "Asia/Beirut",  # springs forward at midnight
]
NIGHTS = [
    at("2026-03-28 00:00"),  # Europe springs forward
    at("2026-10-24 00:00"),  # Europe falls back
    at("2026-03-07 00:00"),  # America
    at("2026-10-31 00:00"),
    at("2026-04-04 00:00"),  # New Zealand, Chile
    at("2026-09-26 00:00"),
    at("2011-12-29 00:00"),  # Apia had no 30 December
    at("2028-02-26 00:00"),  # 29 February
    at("2026-12-31 00:00"),
    at("2026-06-10 00:00"),
]


def minutes(least: int, most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(least, most).map(lambda n: n * MINUTE)


@st.composite
def weddings(draw: st.DrawFn, number: int, around: datetime) -> WeddingSpan:
    starts = around + draw(minutes(-3 * 1440, 4 * 1440) | minutes(-12 * 1440, 30 * 1440))
    ends = starts + draw(minutes(1, 12 * 60) | minutes(1, 3 * 1440))
    completed = draw(st.none() | minutes(-600, 600).map(lambda late: ends + late))
    return WeddingSpan(
        id=number,
        zone=draw(st.sampled_from(ZONES)),
        starts_at=starts,
        ends_at=ends,
        setup=draw(minutes(0, 300)),
        teardown=draw(minutes(0, 300)),
        status=draw(st.sampled_from(["tentative", "confirmed", "live", "completed", "cancelled"])),
        completed_at=completed,
    )


@st.composite
def holds(draw: st.DrawFn, number: int, around: datetime) -> HoldSpan:
    starts = around + draw(minutes(-1440, 4 * 1440))
    return HoldSpan(number, starts, starts + draw(minutes(1, 2 * 1440)))


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.sampled_from(NIGHTS)) + draw(minutes(0, 4 * 1440))
    count = draw(st.integers(0, 5))
    policy = Policy(
        protected_weekdays=draw(
            st.sampled_from([(5,), (5,), (5,), (4,), (4, 5), (6, 0), (5, 6), (), tuple(range(7))])
        ),
        zones=tuple(draw(st.sets(st.sampled_from(ZONES), min_size=1, max_size=3))),
        home_zone=draw(st.sampled_from(ZONES)),
        buffer=draw(st.sampled_from([15 * MINUTE, 0 * MINUTE, HOUR])),
        stop_time=draw(minutes(0, 5)),
        monday_hour=draw(st.integers(0, 23)),
        horizon=draw(st.sampled_from([8, 8, 1, 3, 21, 56])) * DAY,
    )
    unknown = draw(st.none() | st.none() | minutes(-1440, 20 * 1440))
    return {
        "calendar": Calendar(
            policy,
            tuple(draw(weddings(n, start)) for n in range(count)),
            tuple(draw(holds(n, start)) for n in range(draw(st.sampled_from([0, 0, 1, 2])))),
            complete_until=None if unknown is None else start + unknown,
        ),
        "start": start + timedelta(seconds=draw(st.sampled_from([0, 0, 1, 59]))),
        "duration": draw(minutes(1, 180) | minutes(1, 9 * 1440)) + timedelta(seconds=30),
        "now": start + draw(st.just(0 * MINUTE) | minutes(-9 * 1440, 2 * 1440)),
    }


@GUARD
@given(questions())
def test_the_judge_agrees_with_the_minute_by_minute_reference(question: dict[str, Any]) -> None:
    verdict = judge(**question)
    expected = reference.answer(**question)
    window = verdict.next_safe_window
    event("safe" if verdict.safe else "blocked" if window else "nothing fits")

    assert verdict.safe == expected.safe
    assert verdict.reason.split("; no window of")[0] == expected.reason
    assert [(b.start, b.end or reference.FOREVER, b.rule) for b in verdict.blockers] == [
        span[:3] for span in expected.blockers
    ]
    assert verdict.safe or verdict.blockers
    assert (window and (window.start, window.end)) == expected.window
    assert ("no window of" in verdict.reason) == (window is None)
    if window is None:
        assert (", and none of any length" in verdict.reason) == (expected.longest is None)
    if expected.longest:
        zone = question["calendar"].policy.home_zone
        assert verdict.reason.endswith(f" from {zones.spoken(expected.longest[0], zone)}")


@GUARD
@given(questions())
def test_the_window_is_safe_to_its_last_microsecond_and_no_further(
    question: dict[str, Any],
) -> None:
    window = judge(**question).next_safe_window
    if window is None:
        return

    def is_safe(duration: timedelta) -> bool:
        return judge(**question | {"start": window.start, "duration": duration}).safe

    capped = window.end == question["start"] + question["calendar"].policy.horizon
    assert is_safe(question["duration"])
    assert is_safe(window.end - window.start)
    assert capped or not is_safe(window.end - window.start + timedelta(microseconds=1))


@GUARD
@given(questions())
@pytest.mark.django_db(transaction=False)
def test_the_database_answers_as_the_judge_that_knows_everything(question: dict[str, Any]) -> None:
    """The guard reads as few rows as it can, and never one too few."""
    known: Calendar = question["calendar"]
    with transaction.atomic(), override_settings(WEDSYNC_GUARD=asdict(known.policy)):
        kept = replace(known, weddings=saved_weddings(known), holds=saved_holds(known))
        if kept.complete_until:
            Feed.objects.create(
                name="a", url="https://a.example/a.ics", created_at=question["now"],
                due_at=question["now"], good_at=question["now"], known_until=kept.complete_until,
            )  # fmt: skip
        words = {name: question[name] for name in ("start", "duration", "now")}
        answer, expected = services.check(**words), judge(**question | {"calendar": kept})
        transaction.set_rollback(True)

    assert answer.safe == expected.safe
    assert answer.reason == expected.reason
    assert answer.next_safe_window == expected.next_safe_window
    assert [(b.rule, b.start, b.end) for b in answer.blockers] == [
        (b.rule, b.start, b.end) for b in expected.blockers
    ]


def saved_weddings(known: Calendar) -> tuple[WeddingSpan, ...]:
    return tuple(
        replace(span, id=Wedding.objects.create(title="A", **facts).pk)
        for span in known.weddings
        if (facts := {k: v for k, v in asdict(span).items() if k != "id"})
    )


def saved_holds(known: Calendar) -> tuple[HoldSpan, ...]:
    return tuple(
        HoldSpan(
            Hold.objects.create(
                reason="a", starts_at=hold.start, ends_at=hold.end, created_at=hold.start
            ).pk,
            hold.start,
            hold.end,
        )
        for hold in known.holds
    )
