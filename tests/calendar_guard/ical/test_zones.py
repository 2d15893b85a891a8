"""Where an event is, by the many names that zones have."""

import pytest

from calendar_guard.ical import Unreadable
from tests.calendar_guard.ical.texts import BERLIN, LONDON, event, instants, occasions, only, span

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


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=YEARLY;BYMONTH=x", "COUNT=1"])
def test_a_zone_that_makes_no_sense_is_named(rule: str) -> None:
    text = SWISS.format(tzid="Alps").replace("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", rule)
    with pytest.raises(Unreadable, match="zone given at line 4 makes no sense"):
        occasions(text, event("DTSTART;TZID=Alps:20260613T140000"))
