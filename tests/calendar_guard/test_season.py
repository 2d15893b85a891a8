import pytest

from calendar_guard.season import Context, describe
from tests.calendar_guard.examples import LONDON, at, calendar, wedding


@pytest.mark.parametrize(
    ("moment", "season", "peak"),
    [
        ("2026-04-30 23:59", False, False),
        ("2026-05-01 00:00", True, True),  # a Friday
        ("2026-05-03 12:00", True, False),
        ("2026-06-10 12:00", True, False),
        ("2026-06-13 23:59", True, True),
        ("2026-10-31 23:59", True, True),  # a Saturday
        ("2026-11-01 00:00", False, False),
        ("2026-11-07 12:00", False, False),  # a Saturday out of season
    ],
)
def test_season_and_peak_follow_the_home_zone(moment: str, season: bool, peak: bool) -> None:
    context = describe(calendar=calendar(), now=at(moment, LONDON))

    assert (context.wedding_season, context.wedding_peak_time) == (season, peak)


def test_the_home_zone_decides_not_utc() -> None:
    midnight_in_auckland = at("2026-05-01 00:00", "Pacific/Auckland")

    at_home = calendar(home_zone="Pacific/Auckland")
    assert describe(calendar=at_home, now=midnight_in_auckland).wedding_season
    assert not describe(calendar=calendar(), now=midnight_in_auckland).wedding_season


@pytest.mark.parametrize(
    ("moment", "load"),
    [
        ("2026-06-09 09:59", 0),  # the set-up begins at 10:00
        ("2026-06-09 10:01", 1),
        ("2026-06-10 15:00", 1),
        ("2026-06-11 22:59", 1),
        ("2026-06-11 23:00", 0),  # the tear-down ended at 23:00
    ],
)
def test_the_load_counts_weddings_within_a_day(moment: str, load: int) -> None:
    party = wedding("2026-06-10 12:00", "2026-06-10 22:00")
    off = wedding("2026-06-10 12:00", "2026-06-10 22:00", status="cancelled")
    now = at(moment, LONDON)

    assert describe(calendar=calendar(party, off), now=now).estimated_wedding_load == load


def test_tags_are_few_and_carry_no_name() -> None:
    assert Context(True, False, 4).as_tags() == {
        "wedding_season": True,
        "wedding_peak_time": False,
        "estimated_wedding_load": 4,
    }
