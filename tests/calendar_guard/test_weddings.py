"""Weddings of every status: what they protect, and what is said about them."""

from datetime import timedelta

import pytest

from calendar_guard.rules import Window
from tests.calendar_guard.examples import (
    BERLIN,
    DAY,
    HOUR,
    LONDON,
    MINUTE,
    PARTY,
    WEDNESDAY,
    ask,
    at,
    calendar,
    start_of_window,
    wedding,
)


@pytest.mark.parametrize(
    ("start", "is_safe"),
    [
        ("2026-06-10 09:14", True),
        ("2026-06-10 09:15", False),
        ("2026-06-10 15:00", False),
        ("2026-06-10 21:14:59", False),
        ("2026-06-10 21:15", True),
    ],
)
def test_a_run_keeps_its_distance_from_a_wedding(start: str, is_safe: bool) -> None:
    assert ask(calendar(PARTY), at(start)).safe is is_safe


def test_a_run_that_ends_when_the_wedding_starts_is_allowed() -> None:
    bare = calendar(PARTY, buffer=0 * MINUTE, stop_time=0 * MINUTE)

    assert ask(bare, at("2026-06-10 09:30"), 30 * MINUTE).safe
    assert not ask(bare, at("2026-06-10 09:30"), 30 * MINUTE + timedelta(microseconds=1)).safe


def test_a_wedding_under_way_and_one_to_come_are_told_apart() -> None:
    later = wedding("2026-06-10 20:00", "2026-06-10 23:00", LONDON, id=4)

    assert ask(calendar(PARTY), at("2026-06-10 12:00")).reason == "1 active wedding in progress"
    assert (
        ask(calendar(PARTY), at("2026-06-10 08:00"), 3 * HOUR).reason
        == "a wedding would begin before the run ends"
    )
    assert (
        ask(calendar(PARTY, later), at("2026-06-10 12:00"), 8 * HOUR).reason
        == "1 active wedding in progress; a wedding would begin before the run ends"
    )
    assert (
        ask(calendar(PARTY, later), at("2026-06-10 20:00")).reason
        == "2 active weddings in progress"
    )
    assert (
        ask(calendar(PARTY, later), at("2026-06-10 06:00"), 15 * HOUR).reason
        == "2 weddings would begin before the run ends"
    )


def test_a_wedding_on_a_saturday_is_named_after_the_day() -> None:
    party = wedding("2026-06-13 14:00", "2026-06-13 23:00", LONDON)

    assert (
        ask(calendar(party), at("2026-06-13 15:00", LONDON)).reason
        == "Saturday wedding day protection; 1 active wedding in progress"
    )


def test_after_a_wedding_comes_the_first_free_minute() -> None:
    party = wedding("2026-06-10 14:00", "2026-06-10 22:00:30", BERLIN)
    verdict = ask(calendar(party), at("2026-06-10 12:00:01"))

    assert verdict.next_safe_window == Window(
        at("2026-06-10 21:16"),
        at("2026-06-12 21:44"),  # a Berlin wedding brings Berlin's Saturday
    )


def test_a_monday_with_a_wedding_gives_the_first_free_minute_after_eight() -> None:
    monday = wedding("2026-06-15 09:00", "2026-06-15 12:00", LONDON)
    verdict = ask(calendar(monday), at("2026-06-13 12:00", LONDON))

    assert start_of_window(verdict) == at("2026-06-15 13:15", LONDON)


def test_a_live_wedding_lasts_until_it_is_completed() -> None:
    live = wedding("2026-06-10 10:00", "2026-06-10 12:00", status="live")
    overrunning = at("2026-06-10 18:00", LONDON)
    verdict = ask(calendar(live), overrunning)

    assert verdict.reason == "1 active wedding in progress"
    assert "until at least" in verdict.blockers[0].what
    assert start_of_window(verdict) == overrunning + HOUR + 15 * MINUTE

    assert not ask(calendar(live), at("2026-06-10 12:30", LONDON)).safe
    assert not ask(calendar(live), at("2026-06-10 12:30", LONDON), now=WEDNESDAY - DAY).safe


def test_a_live_wedding_without_tear_down_protects_though_there_is_no_buffer() -> None:
    live = wedding("2026-06-10 10:00", "2026-06-10 12:00", status="live", teardown=timedelta(0))
    overrunning = at("2026-06-10 18:00", LONDON)
    assert not ask(calendar(live, buffer=timedelta(0)), overrunning).safe


def test_a_completed_wedding_ends_at_the_pressing() -> None:
    pressed = at("2026-06-10 16:00", LONDON)
    early = wedding(
        "2026-06-10 10:00", "2026-06-10 22:00", status="completed", completed_at=pressed
    )
    late = wedding("2026-06-10 10:00", "2026-06-10 15:00", status="completed", completed_at=pressed)

    for known in (calendar(early), calendar(late)):
        assert not ask(known, at("2026-06-10 17:14", LONDON)).safe
        assert ask(known, at("2026-06-10 17:15", LONDON)).safe


def test_a_wedding_completed_before_its_set_up_protects_nothing() -> None:
    undone = wedding(
        "2026-06-10 10:00",
        "2026-06-10 22:00",
        status="completed",
        completed_at=at("2026-06-10 06:00", LONDON),
    )

    assert ask(calendar(undone), at("2026-06-10 12:00", LONDON)).safe


@pytest.mark.parametrize(
    ("status", "is_safe"), [("tentative", False), ("confirmed", False), ("cancelled", True)]
)
def test_tentative_counts_and_cancelled_does_not(status: str, is_safe: bool) -> None:
    party = wedding("2026-06-10 10:00", "2026-06-10 22:00", status=status)

    assert ask(calendar(party), at("2026-06-10 12:00", LONDON)).safe is is_safe


@pytest.mark.parametrize(
    ("party", "first_minute"),
    [
        (("2026-03-29 12:00", "2026-03-29 14:00"), "2026-03-29 15:15"),
        (("2026-10-25 12:00", "2026-10-25 14:00"), "2026-10-25 15:15"),
        (("2028-02-29 12:00", "2028-02-29 14:00"), "2028-02-29 15:15"),
        (("2026-12-31 18:00", "2027-01-01 02:00"), "2027-01-01 03:15"),
    ],
)
def test_the_first_free_minute_around_odd_dates(party: tuple[str, str], first_minute: str) -> None:
    known = calendar(wedding(*party))
    during = at(party[0], LONDON) + HOUR

    assert start_of_window(ask(known, during)) == at(first_minute, LONDON)
