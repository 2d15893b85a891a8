"""`judge` works with intervals; it must agree with the sentences painted minute by minute."""

import os
from datetime import datetime, timedelta
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from calendar_guard.rules import Calendar, Policy, WeddingSpan, judge
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
    return {
        "calendar": Calendar(policy, tuple(draw(weddings(n, start)) for n in range(count))),
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
    assert [(b.start, b.end, b.rule) for b in verdict.blockers] == [
        span[:3] for span in expected.blockers
    ]
    assert (window and (window.start, window.end)) == expected.window
    assert ("no window of" in verdict.reason) == (window is None)


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
