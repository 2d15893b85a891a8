"""No calendar costs more than it is worth."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import icalendar
import pytest

from calendar_guard.ical import Unreadable, recurrence
from tests.calendar_guard.ical.texts import (
    IN_BERLIN,
    calendar,
    event,
    naive,
    occasions,
)

ROOT = Path(__file__).parents[3]


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
