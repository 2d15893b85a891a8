"""Protected weekdays in every zone, on both DST nights and odd dates."""

from datetime import date, datetime

import pytest

from calendar_guard import zones
from calendar_guard.rules import WeddingSpan, Window
from tests.calendar_guard.examples import (
    BERLIN,
    DAY,
    HOUR,
    LONDON,
    WEDNESDAY,
    ask,
    at,
    calendar,
    start_of_window,
)

NEW_YORK, AUCKLAND = "America/New_York", "Pacific/Auckland"


def test_a_quiet_wednesday_is_safe_until_friday_night() -> None:
    verdict = ask(calendar(), WEDNESDAY)

    assert verdict.safe
    assert verdict.reason == "No active weddings detected"
    assert verdict.blockers == ()
    assert verdict.next_safe_window == Window(WEDNESDAY, at("2026-06-12 23:44", LONDON))


def test_a_saturday_is_refused_until_monday_morning() -> None:
    verdict = ask(calendar(), at("2026-06-13 12:00", LONDON))

    assert not verdict.safe
    assert verdict.reason == "Saturday wedding day protection"
    assert [blocker.what for blocker in verdict.blockers] == [
        "Protected as Saturday in London from Sat 13 Jun 2026, 00:00 London (Fri 12 Jun, 23:00 UTC)"
        " until Sun 14 Jun 2026, 00:00 London (Sat 13 Jun, 23:00 UTC)"
    ]
    assert verdict.next_safe_window == Window(
        at("2026-06-15 08:00", LONDON), at("2026-06-19 23:44", LONDON)
    )


@pytest.mark.parametrize(
    ("start", "is_safe"),
    [
        ("2026-06-12 23:14", True),  # 30 min, 1 min to stop, 15 min of buffer: midnight sharp
        ("2026-06-12 23:14:01", False),
        ("2026-06-13 23:59", False),
        ("2026-06-14 00:14:59", False),
        ("2026-06-14 00:15", True),
    ],
)
def test_a_run_keeps_its_distance_from_saturday(start: str, is_safe: bool) -> None:
    assert ask(calendar(), at(start, LONDON)).safe is is_safe


@pytest.mark.parametrize(
    ("zone", "saturday", "begins", "ends"),
    [
        (LONDON, "2026-03-28", "2026-03-28 00:00", "2026-03-29 00:00"),  # the night of the gap
        (LONDON, "2026-10-24", "2026-10-23 23:00", "2026-10-24 23:00"),  # the night of the fold
        (BERLIN, "2026-03-28", "2026-03-27 23:00", "2026-03-28 23:00"),
        (BERLIN, "2026-10-24", "2026-10-23 22:00", "2026-10-24 22:00"),
        (NEW_YORK, "2026-06-13", "2026-06-13 04:00", "2026-06-14 04:00"),
        (AUCKLAND, "2026-06-13", "2026-06-12 12:00", "2026-06-13 12:00"),
        ("America/Santiago", "2026-04-04", "2026-04-04 03:00", "2026-04-05 04:00"),  # 25 hours
        ("America/Havana", "2025-11-01", "2025-11-01 04:00", "2025-11-02 05:00"),  # two midnights
        ("Asia/Beirut", "2026-03-28", "2026-03-27 22:00", "2026-03-28 22:00"),  # no midnight
        (LONDON, "2028-02-26", "2028-02-26 00:00", "2028-02-27 00:00"),
        (LONDON, "2027-01-02", "2027-01-02 00:00", "2027-01-03 00:00"),
    ],
)
def test_a_local_saturday_as_instants(zone: str, saturday: str, begins: str, ends: str) -> None:
    assert zones.local_day(zone, date.fromisoformat(saturday)) == (at(begins), at(ends))


def test_saturday_is_saturday_in_every_operating_zone() -> None:
    known = calendar(zones=(LONDON, AUCKLAND, NEW_YORK))
    verdict = ask(known, at("2026-06-12 14:00"))  # a Friday in London, Saturday 02:00 in Auckland

    assert verdict.reason == "Saturday wedding day protection"
    assert [blocker.start for blocker in verdict.blockers] == [at("2026-06-12 12:00")]
    assert start_of_window(verdict) == at("2026-06-15 08:00", LONDON)


def test_zones_whose_saturdays_overlap_are_one_blocker_each() -> None:
    verdict = ask(calendar(zones=(LONDON, AUCKLAND, NEW_YORK)), at("2026-06-13 10:00"))

    assert len(verdict.blockers) == 3
    assert verdict.reason == "Saturday wedding day protection"


@pytest.mark.parametrize(
    ("status", "days_ago", "counts"),
    [
        ("confirmed", 6, True),
        ("confirmed", 7, False),
        ("tentative", 6, True),
        ("cancelled", 1, False),
        ("confirmed", -300, True),
        ("live", 30, True),
    ],
)
def test_a_venues_saturdays_count_until_a_week_after_its_last_wedding(
    status: str, days_ago: int, counts: bool
) -> None:
    friday = at("2026-06-12 14:00")  # already Saturday in Auckland
    ended = friday - days_ago * DAY
    party = WeddingSpan(3, AUCKLAND, ended - HOUR, ended, 0 * HOUR, 0 * HOUR, status)
    known = calendar(party, buffer=0 * HOUR)
    reason = ask(known, friday).reason

    assert ("Saturday wedding day protection" in reason) is counts


def test_another_protected_weekday_is_called_by_its_name() -> None:
    verdict = ask(calendar(protected_weekdays=(4, 5)), at("2026-06-12 12:00", LONDON), 20 * HOUR)

    assert verdict.reason == "Friday wedding day protection; Saturday wedding day protection"
    assert start_of_window(verdict) == at("2026-06-15 08:00", LONDON)


@pytest.mark.parametrize(
    ("zone", "weekday", "moment"),
    [
        ("America/Havana", 5, "2025-11-02 04:30"),  # 00:30, an hour before it is 00:30 again
        ("Pacific/Apia", 4, "2011-12-29 12:00"),  # the Friday that Apia skipped
    ],
)
def test_a_boundary_that_comes_twice_or_never_is_read_carefully(
    zone: str, weekday: int, moment: str
) -> None:
    known = calendar(zones=(zone,), protected_weekdays=(weekday,), buffer=0 * HOUR, horizon=HOUR)

    assert not ask(known, at(moment)).safe


def test_protected_days_that_adjoin_are_one_protection() -> None:
    verdict = ask(calendar(protected_weekdays=(6, 0)), at("2026-06-14 12:00", LONDON))

    # The first Monday after Monday's end is protected too, so it is Tuesday of the next week.
    assert start_of_window(verdict) == at("2026-06-23 00:15", LONDON)


@pytest.mark.parametrize(
    ("asked", "monday"),
    [
        ("2026-03-28 12:00", "2026-03-30 07:00"),  # summer time began in between
        ("2026-10-24 12:00", "2026-10-26 08:00"),  # and ended
        ("2028-02-26 12:00", "2028-02-28 08:00"),
        ("2027-01-02 12:00", "2027-01-04 08:00"),
    ],
)
def test_monday_at_eight_is_eight_on_the_clock(asked: str, monday: str) -> None:
    assert start_of_window(ask(calendar(), at(asked))) == at(monday)


def test_an_ambiguous_local_time_starts_early_and_ends_late() -> None:
    gap = datetime.fromisoformat("2026-03-29 01:30")
    fold = datetime.fromisoformat("2026-10-25 01:30")

    assert zones.earliest(gap, LONDON) == at("2026-03-29 00:30")
    assert zones.latest(gap, LONDON) == at("2026-03-29 01:30")
    assert zones.earliest(fold, LONDON) == at("2026-10-25 00:30")
    assert zones.latest(fold, LONDON) == at("2026-10-25 01:30")
