"""Events that repeat, and events that come twice."""

import pytest

from tests.calendar_guard.ical.texts import (
    IN_BERLIN,
    WINDOW,
    event,
    instants,
    occasions,
    only,
    span,
    starts,
)

WEEKLY = (*IN_BERLIN, "RRULE:FREQ=WEEKLY;COUNT=4")


def test_a_series_has_a_uid_for_each_place_in_it() -> None:
    assert [one.uid for one in occasions(event(*WEEKLY))] == [
        "ada-grace/20260613T140000",
        "ada-grace/20260620T140000",
        "ada-grace/20260627T140000",
        "ada-grace/20260704T140000",
    ]


def test_a_series_follows_the_clock_on_the_wall_through_a_dst_night() -> None:
    found = occasions(
        event(
            "DTSTART;TZID=Europe/Berlin:20261024T140000",
            "DURATION:PT6H",
            "RRULE:FREQ=DAILY;COUNT=2",
        )
    )
    assert [instants(one)[0] for one in found] == ["2026-10-24 12:00", "2026-10-25 13:00"]


@pytest.mark.parametrize(
    "line",
    [
        "EXDATE;TZID=Europe/Berlin:20260620T140000,20260627T140000",
        "EXDATE:20260620T120000Z,20260627T120000Z",
        "EXDATE;TZID=Europe/London:20260620T130000,20260627T130000",
        "EXDATE;VALUE=DATE:20260620,20260627",
        "EXDATE:20260620T120000Z\r\nEXDATE:20260627T120000Z",
    ],
)
def test_excluded_dates_are_left_out_whatever_zone_they_are_told_in(line: str) -> None:
    assert starts(event(*WEEKLY, line)) == ["06-13 14:00", "07-04 14:00"]


@pytest.mark.parametrize(
    "line",
    [
        "RDATE;TZID=Europe/Berlin:20260801T100000",
        "RDATE:20260801T080000Z",
        "RDATE;VALUE=PERIOD:20260801T080000Z/20260801T120000Z",
    ],
)
def test_added_dates_are_added(line: str) -> None:
    assert starts(event(*IN_BERLIN, line)) == ["06-13 14:00", "08-01 10:00"]


@pytest.mark.parametrize(
    ("until", "count"),
    [("20260627T120000Z", 3), ("20260627T115959Z", 2), ("20260627T140000", 3), ("20260627", 3)],
)
def test_a_series_ends_with_its_until(until: str, count: int) -> None:
    found = occasions(event(*IN_BERLIN, f"RRULE:FREQ=WEEKLY;UNTIL={until}"))
    assert len(found) == count


def test_whole_days_repeat_and_are_excluded() -> None:
    found = starts(
        event(
            "DTSTART;VALUE=DATE:20260613", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260614"
        )
    )
    assert found == ["06-13 00:00", "06-15 00:00"]


def test_a_moved_instance_keeps_its_uid() -> None:
    moved = event(
        "RECURRENCE-ID:20260620T120000Z",
        "DTSTART;TZID=Europe/London:20260621T100000",
        "DTEND;TZID=Europe/London:20260621T120000",
        "SUMMARY:Moved",
    )
    _, second, *_ = occasions(moved, event(*WEEKLY))
    assert (second.uid, span(second)[0]) == ("ada-grace/20260620T140000", "2026-06-21 11:00")


def test_a_cancelled_instance_is_cancelled_and_no_other() -> None:
    off = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260620T140000",
        "STATUS:CANCELLED",
        "DTSTART;TZID=Europe/Berlin:20260620T140000",
        "DURATION:PT12H",
    )
    assert [one.status for one in occasions(event(*WEEKLY), off)] == [
        "confirmed",
        "cancelled",
        "confirmed",
        "confirmed",
    ]


def test_this_and_all_that_follow_move_each_to_a_place_of_its_own() -> None:
    later = event(
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260627T140000",
        "DTSTART;TZID=Europe/Berlin:20260627T160000",
        "DTEND;TZID=Europe/Berlin:20260628T020000",
    )
    found = occasions(event(*WEEKLY), later)
    assert [span(one)[0][5:] for one in found] == [
        "06-13 14:00",
        "06-20 14:00",
        "06-27 16:00",
        "07-04 16:00",
    ]
    assert len({one.uid for one in found}) == 4


def test_a_changed_instance_alone_is_an_occasion() -> None:
    alone = event("RECURRENCE-ID:20260620T120000Z", *IN_BERLIN)
    assert only(alone).uid == "ada-grace/20260620T140000"


def test_a_rule_without_an_end_is_followed_to_the_horizon_only() -> None:
    found = occasions(event(*IN_BERLIN, "RRULE:FREQ=WEEKLY;BYDAY=SA"))
    assert len(found) == 34
    assert found[-1].starts_at < WINDOW.end


def test_an_old_series_reaches_the_window() -> None:
    found = starts(event("DTSTART:20010612T140000", "DURATION:PT6H", "RRULE:FREQ=YEARLY"))
    assert found == ["06-12 14:00"]


def test_the_highest_sequence_wins() -> None:
    old = event("SEQUENCE:1", "DTSTART:20260613T140000Z")
    new = event("SEQUENCE:2", "DTSTART:20260614T140000Z")
    assert starts(new, old) == starts(old, new) == ["06-14 15:00"]


def test_events_that_share_a_uid_are_all_protected() -> None:
    first, second = event("DTSTART:20260613T140000Z"), event("DTSTART:20260620T140000Z")
    found = occasions(first, second, first)
    assert [one.uid for one in found] == ["ada-grace", "ada-grace/20260620T150000"]


def test_of_a_doubled_event_the_one_that_protects_more_is_kept() -> None:
    short = event("DTSTART:20260613T140000Z", "DURATION:PT1H")
    long = event("DTSTART:20260613T140000Z", "DURATION:PT5H")
    off = event("DTSTART:20260613T140000Z", "DURATION:PT9H", "STATUS:CANCELLED")
    assert span(only(long, short, off))[1] == span(only(off, short, long))[1] == "2026-06-13 20:00"
