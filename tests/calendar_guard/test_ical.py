"""What a feed's text means, to readers who look at 2026 and the month after it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from calendar_guard import zones
from calendar_guard.ical import Occasion, Unreadable, read, recurrence
from calendar_guard.words import Window

BERLIN, LONDON = "Europe/Berlin", "Europe/London"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 2, 5, tzinfo=UTC))
ROOT = Path(__file__).parents[2]


def calendar(*components: str) -> bytes:
    frame = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests", *components, "END:VCALENDAR", ""]
    return "\r\n".join("\r\n".join(frame).split("\n")).replace("\r\r", "\r").encode()


def event(*lines: str, uid: str = "ada-grace") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:A", *lines, "END:VEVENT"])


def occasions(*components: str, zone: str = LONDON, window: Window = WINDOW) -> list[Occasion]:
    return read(calendar(*components), zone=zone, window=window)


def naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


def only(*components: str, zone: str = LONDON) -> Occasion:
    (found,) = occasions(*components, zone=zone)
    return found


def starts(*components: str, zone: str = LONDON) -> list[str]:
    return [f"{one.starts_local:%m-%d %H:%M}" for one in occasions(*components, zone=zone)]


def span(one: Occasion) -> tuple[str, str]:
    return f"{one.starts_local:%Y-%m-%d %H:%M}", f"{one.ends_local:%Y-%m-%d %H:%M}"


def instants(one: Occasion) -> tuple[str, str]:
    return f"{one.starts_at:%Y-%m-%d %H:%M}", f"{one.ends_at:%Y-%m-%d %H:%M}"


IN_BERLIN = "DTSTART;TZID=Europe/Berlin:20260613T140000", "DTEND;TZID=Europe/Berlin:20260614T020000"


# One event


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


def test_only_what_touches_the_window_is_given() -> None:
    window = Window(datetime(2026, 6, 13, 12, tzinfo=UTC), datetime(2026, 6, 14, tzinfo=UTC))
    before = event("DTSTART:20260613T000000Z", "DTEND:20260613T120000Z", uid="before")
    into = event("DTSTART:20260613T000000Z", "DTEND:20260613T120001Z", uid="into")
    late = event("DTSTART:20260613T235959Z", "DTEND:20260614T120000Z", uid="late")
    after = event("DTSTART:20260614T000000Z", "DTEND:20260614T120000Z", uid="after")
    wrong_long_ago = event("DTSTART:20190102T000000Z", "DTEND:20190101T000000Z", uid="wrong")
    found = occasions(before, into, late, after, wrong_long_ago, window=window)
    assert [one.uid for one in found] == ["into", "late"]


# Time zones

SWISS = """BEGIN:VTIMEZONE
TZID:{tzid}
BEGIN:STANDARD
DTSTART:16010101T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE"""


@pytest.mark.parametrize(
    "tzid",
    [
        "Europe/Berlin",
        '"Europe/Berlin"',
        "W. Europe Standard Time",
        "/freeassociation.sourceforge.net/Europe/Berlin",
        "/Europe/Berlin",
    ],
)
def test_a_zone_has_many_names(tzid: str) -> None:
    one = only(event(f"DTSTART;TZID={tzid}:20260613T140000", "DURATION:PT6H"))
    assert (one.zone, instants(one)[0]) == (BERLIN, "2026-06-13 12:00")


def test_the_data_of_a_known_zone_wins_over_what_the_feed_says() -> None:
    wrong = SWISS.format(tzid="America/New_York")
    one = only(wrong, event("DTSTART;TZID=America/New_York:20260613T140000", "DURATION:PT6H"))
    assert (one.zone, instants(one)[0]) == ("America/New_York", "2026-06-13 18:00")


def test_a_zone_that_only_the_feed_knows_gives_the_instant() -> None:
    lines = "DTSTART;TZID=Alps:20260613T140000", "DTEND;TZID=Alps:20260613T220000"
    winter = "DTSTART;TZID=Alps:20261213T140000", "DURATION:PT1H"
    summer, cold = occasions(
        SWISS.format(tzid="Alps"), event(*lines), event(*winter, uid="winter"), zone=LONDON
    )
    assert (summer.zone, span(summer)) == (LONDON, ("2026-06-13 13:00", "2026-06-13 21:00"))
    assert instants(cold)[0] == "2026-12-13 13:00"


def test_a_zone_of_one_feed_is_not_remembered_for_the_next() -> None:
    wedding = event("DTSTART;TZID=Alps:20260613T140000", "DURATION:PT6H")
    only(SWISS.format(tzid="Alps"), wedding)
    with pytest.raises(Unreadable, match="event at line 4 is in a time zone that is unknown"):
        only(wedding)


def test_a_series_in_a_zone_that_only_the_feed_knows_follows_its_wall() -> None:
    series = event("DTSTART;TZID=Alps:20261024T140000", "DURATION:PT6H", "RRULE:FREQ=DAILY;COUNT=2")
    found = occasions(SWISS.format(tzid="Alps"), series, zone="UTC")
    assert [instants(one)[0] for one in found] == ["2026-10-24 12:00", "2026-10-25 13:00"]


# Series

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


# Doubled events


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


# The text


@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_do_not_matter(newline: bytes, mark: bytes) -> None:
    content = mark + calendar(event(*IN_BERLIN)).replace(b"\r\n", newline)
    assert len(read(content, zone=LONDON, window=WINDOW)) == 1


def test_a_fold_may_cut_a_letter_in_two() -> None:
    content = calendar(event(*IN_BERLIN, "LOCATION:Schloß")).replace(b"\xc3\x9f", b"\xc3\r\n \x9f")
    (one,) = read(content, zone=LONDON, window=WINDOW)
    assert one.venue == "Schloß"


def test_an_old_encoding_and_control_characters_are_read() -> None:
    content = calendar(event(*IN_BERLIN, "LOCATION:Schlo\x00\x07#"))
    (one,) = read(content.replace(b"#", b"\xdf"), zone=LONDON, window=WINDOW)
    assert one.venue == "Schloß"


def test_alarms_descriptions_and_stray_lines_do_not_matter() -> None:
    lines = (
        "DESCRIPTION:Bring\nthe cake: DTSTART is late",
        "BEGIN:VALARM",
        "TRIGGER:-PT15M",
        "DURATION:P9D",
        "END:VALARM",
    )
    assert span(only(event(*IN_BERLIN, *lines), "BEGIN:VTODO", "UID:x", "END:VTODO"))


def test_an_empty_calendar_is_valid() -> None:
    assert occasions() == []


def test_two_calendars_in_one_file_are_both_read() -> None:
    content = calendar(event(*IN_BERLIN)) + calendar(event(*IN_BERLIN, uid="other"))
    assert len(read(content, zone=LONDON, window=WINDOW)) == 2


def test_titles_and_uids_fit() -> None:
    one = only(event(*IN_BERLIN, "LOCATION:" + "x" * 500, uid="y" * 300))
    assert (len(one.venue), len(one.uid)) == (200, 64)
    assert only("BEGIN:VEVENT\nUID:1\nDTSTART:20260613T140000Z\nEND:VEVENT").title == "Untitled"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"<!DOCTYPE html><html>", "a web page, no calendar"),
        (b"hello", "Line 1 lies outside"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "Line 1 lies outside"),
        (b"\xff\xfeB\x00E\x00G\x00", "Line 1 lies outside"),
        (calendar(event(*IN_BERLIN))[:-15], "line 9 with a part still open: it was cut short"),
        (calendar(event(*IN_BERLIN))[:90], "with a part still open: it was cut short"),
        (
            calendar("BEGIN:VEVENT", "END:VTODO"),
            "Line 5 ends a part that is not the one open there",
        ),
        (calendar() + b"junk", "Line 5 lies outside"),
        (b"END:VCALENDAR", "Line 1 ends a part that is not the one open there"),
    ],
)
def test_what_is_no_whole_calendar_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(content, zone=LONDON, window=WINDOW)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["DTEND:20260613T140000Z"], "The event at line 4 has no start"),
        (["DTSTART:20260613T140000Z", "DTEND:20260612T140000Z"], "ends before it starts"),
        (["DTSTART:20260613T140000Z", "DURATION:-PT1H"], "lasts less than no time"),
        (["DTSTART:20260613T140000Z", "DURATION:soon"], "has DURATION that cannot be read"),
        (["DTSTART:20260613T140000Z", "DURATION:20260613T140000Z"], "has DURATION that cannot"),
        (["DTSTART:PT1H"], "has DTSTART that cannot be read"),
        (["DTSTART:20261313T140000Z"], "has DTSTART that cannot be read"),
        (["DTSTART:20260613T140000Z", "DTSTART:20260614T140000Z"], "more than one DTSTART"),
        ([*IN_BERLIN, "EXDATE:never"], "has EXDATE that cannot be read"),
        ([*IN_BERLIN, "RRULE:FREQ=SOMETIMES"], "has RRULE that cannot be read"),
        ([*IN_BERLIN, "RRULE:COUNT=3"], "repeats otherwise than from DAILY"),
        ([*IN_BERLIN, "RRULE:FREQ=SECONDLY"], "repeats otherwise than from DAILY"),
        ([*IN_BERLIN, "RRULE:FREQ=HOURLY;COUNT=2"], "repeats otherwise than from DAILY"),
        ([*IN_BERLIN, "RRULE:FREQ=DAILY;UNTIL=20260701,20260801"], "says one thing twice"),
        ([*IN_BERLIN, "RRULE:FREQ=DAILY;UNTIL=PT1H"], "has a value that makes no sense"),
        ([*IN_BERLIN, "SEQUENCE;VALUE=DATE:20260613"], "has SEQUENCE that cannot be read"),
        ([*IN_BERLIN, "RRULE:FREQ=DAILY;INTERVAL=0"], "interval of less than one"),
        ([*IN_BERLIN, "RRULE:FREQ=DAILY;BYSETPOS=0"], "by a rule that makes no sense"),
        (
            [*IN_BERLIN, f"RRULE:FREQ=DAILY;BYMINUTE={','.join(map(str, range(60)))}"],
            "more than 24 times a day",
        ),
        (
            [*IN_BERLIN, f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))}"],
            "repeats more than 2,000 times",
        ),
        ([*IN_BERLIN, "RDATE;VALUE=PERIOD:20260801T080000Z/PT0S"], "takes no time"),
        (["DTSTART;TZID=Atlantis/Capital:20260613T140000"], "a time zone that is unknown here"),
        (["DTSTART;TZID=../../etc/passwd:20260613T140000"], "a time zone that is unknown here"),
        (["DTSTART:99991231T235959Z", "RRULE:FREQ=DAILY"], "outside of what a calendar can"),
    ],
)
def test_an_event_that_makes_no_sense_is_named(lines: list[str], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        occasions(event(*lines), zone=BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        event("DTEND:20260613T140000Z", uid="emma-smith@venue"),
        event("DTSTART;TZID=emma-smith:20260613T140000", uid="emma-smith@venue"),
        event(*IN_BERLIN, "DURATION:emma-smith", uid="emma-smith@venue"),
        "BEGIN:VEVENT\nEND:EMMA-SMITH",
        "BEGIN:EMMA-SMITH",
        "BEGIN:VTIMEZONE\nTZID:emma-smith\nEND:VTIMEZONE\n"
        + event("DTSTART;TZID=emma-smith:20260613T140000"),
    ],
)
def test_no_sentence_repeats_what_the_file_says(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        occasions(text)
    assert "emma" not in str(refused.value).lower()
    assert "line" in str(refused.value).lower()


def test_an_event_of_weeks_is_taken_in_pieces_without_a_gap() -> None:
    closed = event("DTSTART;VALUE=DATE:20260601", "DTEND;VALUE=DATE:20260620", uid="closed")
    found = occasions(closed, event(*IN_BERLIN))
    pieces = [(one.uid, *span(one)) for one in found if one.uid != "ada-grace"]

    assert pieces == [
        ("closed/0", "2026-06-01 00:00", "2026-06-08 00:00"),
        ("closed/1", "2026-06-08 00:00", "2026-06-15 00:00"),
        ("closed/2", "2026-06-15 00:00", "2026-06-20 00:00"),
    ]
    assert len(found) == 4


def test_of_an_event_of_centuries_only_the_window_is_taken() -> None:
    found = occasions(event("DTSTART:00010101T000000", "DTEND:99991231T235959"))

    assert found[0].starts_at <= WINDOW.start
    assert WINDOW.end <= found[-1].ends_at
    assert len(found) == 58
    assert all(
        one.ends_local == two.starts_local for one, two in zip(found, found[1:], strict=False)
    )


def test_an_event_needs_a_uid() -> None:
    with pytest.raises(Unreadable, match="The event at line 4 has no UID"):
        occasions("BEGIN:VEVENT\nDTSTART:20260613T140000Z\nEND:VEVENT")


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=x", "COUNT=1"])
def test_a_zone_that_makes_no_sense_is_named(rule: str) -> None:
    text = SWISS.format(tzid="Alps").replace("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", rule)
    with pytest.raises(Unreadable, match="zone given at line 4 makes no sense"):
        occasions(text, event("DTSTART;TZID=Alps:20260613T140000"))


def spent(rule: str) -> float:
    """Steps for one event of ten years."""
    text = event("DTSTART:20160611T140000", "DTEND:20160611T200000", f"RRULE:FREQ={rule}")
    one, budget = icalendar.Event.from_ical(text), recurrence.Budget()
    end = naive("2027-02-05 00:00")
    list(recurrence.expand([one], start=end, end=end, budget=budget, name="It"))
    return recurrence.MOST_STEPS - budget.steps


def test_thousands_of_ordinary_series_are_not_too_costly() -> None:
    for rule in ("WEEKLY", "MONTHLY;BYDAY=2SA", "YEARLY;BYMONTH=6", "MONTHLY;BYDAY=SA;BYSETPOS=-1"):
        assert 5_000 * spent(rule) < recurrence.MOST_STEPS


@pytest.mark.parametrize(
    "rule", ["DAILY;BYMONTH=2;BYMONTHDAY=30", "MONTHLY;BYDAY=6SA", "YEARLY;BYYEARDAY=366;BYMONTH=1"]
)
@pytest.mark.bulk
def test_rules_that_never_come_are_few(rule: str) -> None:
    assert spent(rule) * 50 > recurrence.MOST_STEPS
    never = event("DTSTART:20260613T140000", "DTEND:20260613T200000", f"RRULE:FREQ={rule}")
    one = icalendar.Event.from_ical(never)
    when, little = naive("2026-06-13 14:00"), recurrence.Budget(1_000)
    with pytest.raises(Unreadable, match="too costly to follow"):
        list(recurrence.expand([one], start=when, end=when, budget=little, name="It"))


@pytest.mark.bulk
def test_more_than_fifty_thousand_occasions_are_too_many() -> None:
    series = [event(*IN_BERLIN, "RRULE:FREQ=DAILY;BYHOUR=1,9,17", uid=str(n)) for n in range(80)]
    with pytest.raises(Unreadable, match="more than 50,000 occasions"):
        occasions(*series)


MEASURE = """
import re, sys, time
from pathlib import Path
from datetime import UTC, datetime
from calendar_guard.ical import read
from calendar_guard.words import Window
content = sys.stdin.buffer.read()
window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 3, 7, tzinfo=UTC))
def peak():  # not ru_maxrss, which a process inherits
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, begun = peak(), time.process_time()
found = read(content, zone="Europe/London", window=window)
print(len(found), time.process_time() - begun, peak() - before)
"""


@pytest.mark.bulk
def test_twenty_thousand_events_are_read_fast_and_in_little_memory() -> None:
    first = naive("2026-01-05 14:00")
    events = []
    for number in range(20_000):
        begins = first + timedelta(minutes=25 * number)
        lines = (
            f"DTSTART;TZID=Europe/Berlin:{begins:%Y%m%dT%H%M%S}",
            f"DTEND;TZID=Europe/Berlin:{begins + timedelta(hours=9):%Y%m%dT%H%M%S}",
            "DTSTAMP:20260101T000000Z",
            "DESCRIPTION:" + "words about the day " * 20,
        )
        events.append(event(*lines, uid=f"{number}@example.com"))
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=calendar(*events),
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    count, seconds, kib = map(float, measured.stdout.split())
    print(f"{count:.0f} occasions, {seconds:.1f} s of CPU, {kib / 1024:.0f} MiB more at the peak")
    assert count == 20_000
    assert seconds < 15
    assert kib < 150 * 1024
