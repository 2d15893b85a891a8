"""One event."""

from datetime import UTC, datetime

import pytest

from calendar_guard import zones
from calendar_guard.ical import Occasion
from calendar_guard.words import Window
from tests.calendar_guard.ical.texts import (
    BERLIN,
    IN_BERLIN,
    event,
    instants,
    naive,
    occasions,
    only,
    span,
)


def test_an_event_is_kept_in_its_own_zone() -> None:
    lines = *IN_BERLIN, "LOCATION:Hall 1\\, first floor", "STATUS:TENTATIVE"
    assert only(event(*lines)) == Occasion(
        uid="ada-grace",
        title="A",
        venue="Hall 1, first floor",
        zone=BERLIN,
        starts_local=naive("2026-06-13 14:00"),
        ends_local=naive("2026-06-14 02:00"),
        starts_at=datetime(2026, 6, 13, 12, 0, tzinfo=UTC),
        ends_at=datetime(2026, 6, 14, 0, 0, tzinfo=UTC),
        status="tentative",
    )


def test_a_floating_time_is_the_feeds_own() -> None:
    floating = event("DTSTART:20260613T140000", "DTEND:20260613T200000")
    assert only(floating, zone=BERLIN).zone == BERLIN
    assert instants(only(floating, zone=BERLIN))[0] == "2026-06-13 12:00"


def test_a_time_in_utc_is_kept_in_the_feeds_zone() -> None:
    for start in ("DTSTART:20260613T120000Z", "DTSTART;TZID=UTC:20260613T120000"):
        one = only(event(start, "DTEND:20260613T220000Z"), zone=BERLIN)
        assert (one.zone, span(one)) == (BERLIN, ("2026-06-13 14:00", "2026-06-14 00:00"))


def test_start_and_end_may_be_in_two_zones() -> None:
    one = only(event(IN_BERLIN[0], "DTEND;TZID=America/New_York:20260613T140000"))
    assert span(one) == ("2026-06-13 14:00", "2026-06-13 20:00")


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        (["DTSTART;VALUE=DATE:20260613"], "2026-06-14 00:00"),
        (["DTSTART;VALUE=DATE:20260613", "DTEND;VALUE=DATE:20260613"], "2026-06-14 00:00"),
        (["DTSTART;VALUE=DATE:20260613", "DTEND;VALUE=DATE:20260615"], "2026-06-15 00:00"),
        (["DTSTART;VALUE=DATE:20260613", "DURATION:P3D"], "2026-06-16 00:00"),
    ],
)
def test_whole_days_go_from_midnight_to_midnight(lines: list[str], ends: str) -> None:
    one = only(event(*lines), zone=BERLIN)
    assert span(one) == ("2026-06-13 00:00", ends)
    assert instants(one)[0] == "2026-06-12 22:00"


@pytest.mark.parametrize("lines", [[], ["DTEND:20260613T140000"], ["DURATION:PT0S"]])
def test_an_event_without_an_end_lasts_twelve_hours(lines: list[str]) -> None:
    one = only(event("DTSTART:20260613T140000", *lines))
    assert span(one) == ("2026-06-13 14:00", "2026-06-14 02:00")


def test_in_a_dst_night_start_and_end_are_read_wide() -> None:
    autumn = only(
        event(
            "DTSTART;TZID=Europe/Berlin:20261025T023000", "DTEND;TZID=Europe/Berlin:20261025T024500"
        )
    )
    spring = only(
        event(
            "DTSTART;TZID=Europe/Berlin:20260329T023000", "DTEND;TZID=Europe/Berlin:20260329T024500"
        )
    )
    for one in (autumn, spring):
        assert one.starts_at == zones.earliest(one.starts_local, BERLIN)
        assert one.ends_at == zones.latest(one.ends_local, BERLIN)
    assert instants(autumn) == ("2026-10-25 00:30", "2026-10-25 01:45")
    assert instants(spring) == ("2026-03-29 00:30", "2026-03-29 01:45")


@pytest.mark.parametrize(
    ("start", "ends"),
    [("20260328T200000", "2026-03-29 09:00"), ("20261024T200000", "2026-10-25 08:00")],
)
def test_a_duration_over_a_dst_night_counts_by_whichever_is_longer(start: str, ends: str) -> None:
    one = only(event(f"DTSTART;TZID=Europe/Berlin:{start}", "DURATION:PT12H"))
    assert span(one)[1] == ends


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("STATUS:CONFIRMED", "confirmed"),
        ("STATUS:tentative", "tentative"),
        ("STATUS:CANCELLED", "cancelled"),
        ("STATUS:POSTPONED", "confirmed"),
        ("X-NOTHING:1", "confirmed"),
    ],
)
def test_a_status_we_do_not_know_protects(line: str, status: str) -> None:
    assert only(event(*IN_BERLIN, line)).status == status


@pytest.mark.parametrize("order", [1, -1])
def test_an_event_that_is_called_off_and_is_not_protects(order: int) -> None:
    lines = ["STATUS:CANCELLED", "STATUS:CONFIRMED"][::order]
    assert only(event(*IN_BERLIN, *lines)).status == "confirmed"


def test_only_what_touches_the_window_is_given() -> None:
    window = Window(datetime(2026, 6, 13, 12, tzinfo=UTC), datetime(2026, 6, 14, tzinfo=UTC))
    before = event("DTSTART:20260613T000000Z", "DTEND:20260613T120000Z", uid="before")
    into = event("DTSTART:20260613T000000Z", "DTEND:20260613T120001Z", uid="into")
    late = event("DTSTART:20260613T235959Z", "DTEND:20260614T120000Z", uid="late")
    after = event("DTSTART:20260614T000000Z", "DTEND:20260614T120000Z", uid="after")
    wrong_long_ago = event("DTSTART:20190102T000000Z", "DTEND:20190101T000000Z", uid="wrong")
    found = occasions(before, into, late, after, wrong_long_ago, window=window)
    assert [one.uid for one in found] == ["into", "late"]
