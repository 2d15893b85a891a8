import pytest

from dashboard.templatetags.words import count, figure, guard_sentence, lasted, when

THIN, NARROW = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "–"),
        ("", "–"),
        (0, "0"),
        (0.004, "0.004"),
        (0.43219, "0.432"),
        (38.24, "38.2"),
        (12.35, "12.4"),
        (99.96, "100"),
        (912.4, "912"),
        (0.000012, "0.000012"),
        (1001.2, f"1{THIN}001"),
        (1_234_567, f"1{THIN}234{THIN}567"),
    ],
)
def test_a_figure_is_whole_from_a_hundred_on_and_else_has_three_digits(
    value: float | None, said: str
) -> None:
    assert figure(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "–"), (0, "0"), (1956, f"1{THIN}956"), (1_000_001, f"1{THIN}000{THIN}001")],
)
def test_a_count_is_exact(value: int | None, said: str) -> None:
    assert count(value) == said


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        ("PT0S", f"0{NARROW}s"),
        ("PT90S", f"1{NARROW}min 30{NARROW}s"),
        ("PT2H", f"2{NARROW}h"),
        ("PT26H", f"1{NARROW}d 2{NARROW}h"),
    ],
)
def test_a_duration_is_said_in_hours_minutes_and_seconds(duration: str, said: str) -> None:
    assert lasted(duration) == said


def test_a_time_says_its_zone_and_carries_the_instant_for_the_viewers_own() -> None:
    assert when("2026-06-13T14:00:00+02:00", "long") == (
        '<time datetime="2026-06-13T12:00:00+00:00" data-form="long">'
        "Sat 13 Jun 2026, 12:00 UTC</time>"
    )


def test_no_time_is_a_dash() -> None:
    assert when(None) == "–"


def test_a_guard_without_any_next_window_still_says_why() -> None:
    verdict = {"safe": False, "reason": "Saturday wedding day protection", "next_safe_window": None}
    assert guard_sentence(verdict) == "Blocked: Saturday wedding day protection"


def test_a_brief_guard_keeps_one_clause() -> None:
    reason = "2 active weddings in progress; no window of 30 min fits within 56 days"
    verdict = {"safe": False, "reason": reason, "next_safe_window": None}
    assert guard_sentence(verdict, "brief") == "Blocked: 2 active weddings in progress"
