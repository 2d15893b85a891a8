"""What is read of any text, and which is refused in what words."""

import pytest

from calendar_guard.ical import Unreadable, read
from tests.calendar_guard.ical.texts import (
    BERLIN,
    IN_BERLIN,
    LONDON,
    WINDOW,
    calendar,
    event,
    occasions,
    only,
    span,
)


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
