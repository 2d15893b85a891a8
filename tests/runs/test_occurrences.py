"""When a schedule starts, on the wall clock of its zone; both DST nights are in every table."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.waiting.occurrences import BadRule, BadZone, check_rule, next_start

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
TUESDAY = datetime.fromisoformat("2026-06-09T10:00:00+02:00")


def starts(
    rule: str, first: str, *, zone: str = BERLIN, after: str = "", count: int = 3
) -> list[str]:
    """The local starts, with their offsets."""
    starts_at = datetime.fromisoformat(first)
    moment = datetime.fromisoformat(after) if after else starts_at - timedelta(seconds=1)
    found: list[str] = []
    while len(found) < count:
        start = next_start(rule=rule, starts_at=starts_at, zone=zone, after=moment)
        if start is None:
            break
        found.append(start.astimezone(ZoneInfo(zone)).isoformat())
        moment = start
    return found


def test_without_a_rule_it_starts_once() -> None:
    assert starts("", "2026-06-09T10:00:00+02:00") == ["2026-06-09T10:00:00+02:00"]
    assert next_start(rule="", starts_at=TUESDAY, zone=BERLIN, after=TUESDAY) is None


def test_every_tuesday_and_wednesday_at_ten() -> None:
    found = starts("FREQ=WEEKLY;BYDAY=TU,WE;BYHOUR=10;BYMINUTE=0", "2026-06-09T09:00:00+02:00")
    assert found == [
        "2026-06-09T10:00:00+02:00",
        "2026-06-10T10:00:00+02:00",
        "2026-06-16T10:00:00+02:00",
    ]


@pytest.mark.parametrize(
    ("zone", "first", "found"),
    [
        (
            BERLIN,
            "2026-03-28T10:00:00+01:00",
            ["2026-03-28T10:00:00+01:00", "2026-03-29T10:00:00+02:00", "2026-03-30T10:00:00+02:00"],
        ),
        (
            BERLIN,
            "2026-10-24T10:00:00+02:00",
            ["2026-10-24T10:00:00+02:00", "2026-10-25T10:00:00+01:00", "2026-10-26T10:00:00+01:00"],
        ),
        (
            NEW_YORK,
            "2026-03-07T10:00:00-05:00",
            ["2026-03-07T10:00:00-05:00", "2026-03-08T10:00:00-04:00", "2026-03-09T10:00:00-04:00"],
        ),
    ],
)
def test_ten_o_clock_stays_ten_o_clock_over_both_nights(
    zone: str, first: str, found: list[str]
) -> None:
    assert starts("FREQ=DAILY", first, zone=zone) == found


def test_a_time_that_the_clocks_leave_out_is_read_with_the_offset_before() -> None:
    assert starts("FREQ=DAILY", "2026-03-28T02:30:00+01:00") == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_they_show_twice_starts_once_at_the_first() -> None:
    assert starts("FREQ=DAILY", "2026-10-24T02:30:00+02:00") == [
        "2026-10-24T02:30:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_an_hourly_rule_starts_no_hour_twice_over_the_gap() -> None:
    found = starts("FREQ=HOURLY", "2026-03-29T01:30:00+01:00", count=3)
    assert found == [
        "2026-03-29T01:30:00+01:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-29T04:30:00+02:00",
    ]


def test_what_was_missed_is_one_next_start_and_no_burst() -> None:
    found = starts(
        "FREQ=HOURLY", "2026-06-01T10:00:00+02:00", after="2026-06-09T10:17:00+02:00", count=1
    )
    assert found == ["2026-06-09T11:00:00+02:00"]


def test_a_rule_ends_by_count_and_by_until() -> None:
    assert len(starts("FREQ=DAILY;COUNT=2", "2026-06-09T10:00:00+02:00", count=9)) == 2
    day = starts("FREQ=DAILY;UNTIL=20260611", "2026-06-09T10:00:00+02:00", count=9)
    assert [start[:10] for start in day] == ["2026-06-09", "2026-06-10", "2026-06-11"]
    instant = starts("FREQ=DAILY;UNTIL=20260610T080000Z", "2026-06-09T10:00:00+02:00", count=9)
    assert [start[:10] for start in instant] == ["2026-06-09", "2026-06-10"]


@given(
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,SA", "FREQ=MONTHLY;BYMONTHDAY=29,31"]),
    st.sampled_from([BERLIN, NEW_YORK, "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.timedeltas(timedelta(0), timedelta(days=365)),
    st.timedeltas(timedelta(0), timedelta(days=200)),
)
def test_the_next_start_is_later_and_nothing_lies_between(
    rule: str, zone: str, into_the_year: timedelta, passed: timedelta
) -> None:
    starts_at = datetime(2026, 1, 1, tzinfo=UTC) + into_the_year
    after = starts_at + passed
    found = next_start(rule=rule, starts_at=starts_at, zone=zone, after=after)
    assert found is not None
    assert found > after
    just_before = found - timedelta(microseconds=1)
    assert next_start(rule=rule, starts_at=starts_at, zone=zone, after=just_before) == found
    halfway = after + (found - after) / 2
    assert next_start(rule=rule, starts_at=starts_at, zone=zone, after=halfway) == found


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("every tuesday", "NAME=VALUE"),
        ("FREQ=SECONDLY", "FREQ=, which is one of"),
        ("BYDAY=TU", "FREQ=, which is one of"),
        ("FREQ=DAILY;FREQ=DAILY", "once each"),
        ("FREQ=DAILY;BYSECOND=1", "BYSECOND is no word"),
        ("FREQ=DAILY;BYMONTHDAY=1", "BYMONTHDAY is no word of this rule"),
        ("FREQ=DAILY;BYDAY=XX", "cannot be read"),
        ("FREQ=DAILY;BYHOUR=25", "cannot be read"),
        ("FREQ=DAILY;BYMINUTE=99999999999999999999", "cannot be read"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH is a whole number from 1 to 12"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a whole number"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "not by both"),
        ("FREQ=DAILY;UNTIL=tomorrow", "no moment"),
        ("FREQ=DAILY;UNTIL=20200101", "never comes"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "never comes"),
        ("FREQ=DAILY\nDTSTART:20200101T000000", "FREQ=, which is one of"),
    ],
)
def test_a_rule_that_cannot_be_is_explained(rule: str, said: str) -> None:
    with pytest.raises(BadRule, match=said):
        check_rule(rule=rule, starts_at=TUESDAY, zone=BERLIN)


@given(st.text(st.sampled_from("FREQ=DAILYWEK;BYMOTHUI0123456789,-+TZ "), max_size=40))
def test_any_text_is_a_rule_or_a_sentence(text: str) -> None:
    with contextlib.suppress(BadRule):
        check_rule(rule=f"FREQ=DAILY;{text}", starts_at=TUESDAY, zone=BERLIN)


@pytest.mark.parametrize("zone", ["", "Berlin", "../etc/passwd", "Europe/Nowhere", "\0"])
def test_an_unknown_zone_is_explained(zone: str) -> None:
    with pytest.raises(BadZone, match="IANA name such as Europe/London"):
        next_start(rule="", starts_at=TUESDAY, zone=zone, after=TUESDAY)
