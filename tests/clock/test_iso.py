from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock.iso import format_duration, parse_duration, parse_instant


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("PT30M", timedelta(minutes=30)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("PT1.5S", timedelta(seconds=1.5)),
        ("P2W", timedelta(weeks=2)),
        ("P1D", timedelta(days=1)),
    ],
)
def test_a_duration_is_read(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "30", "00:30:00", "P1M", "P1Y", "-PT5M", "PT5m", "P1DT", "P99999999999D"],
)
def test_what_is_no_plain_duration_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="duration|longer"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_a_written_duration_reads_back(span: timedelta) -> None:
    assert parse_duration(format_duration(span)) == span


def test_an_instant_is_read_as_utc() -> None:
    assert parse_instant("2026-06-10T10:00:00+02:00") == datetime(2026, 6, 10, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-06-10T10:00:00", "2026-06-10", "0001-01-01T00:00:00+14:00"]
)
def test_an_instant_without_an_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset|outside"):
        parse_instant(text)


def test_a_plus_lost_in_a_query_string_is_explained() -> None:
    with pytest.raises(ValueError, match="%2B"):
        parse_instant("2026-06-10T10:00:00 02:00")
