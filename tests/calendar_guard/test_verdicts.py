"""Verdicts as words: windows and their horizon, impossible questions, JSON."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from calendar_guard.rules import (
    Window,
    in_force,
    judge,
    protected_spans,
    verdict_from_json,
)
from tests.calendar_guard.examples import (
    DAY,
    HOUR,
    LONDON,
    MINUTE,
    PARTY,
    WEDNESDAY,
    ask,
    at,
    calendar,
    wedding,
)


def test_no_window_within_the_horizon_is_said_in_words() -> None:
    verdict = ask(calendar(), at("2026-06-13 12:00", LONDON), timedelta(days=6))

    assert verdict.next_safe_window is None
    assert verdict.reason == (
        "Saturday wedding day protection; no window of 6 d fits within 56 days, the longest is"
        " 5 d 23 h 29 min from Sun 14 Jun 2026, 00:15 London (Sat 13 Jun, 23:15 UTC)"
    )


def test_a_duration_is_said_in_whole_seconds_rounded_up() -> None:
    rest = timedelta(minutes=9, seconds=16, microseconds=474_857)
    verdict = ask(calendar(horizon=9 * MINUTE), WEDNESDAY, rest)

    assert "no window of 9 min 17 s fits within 9 min, the longest is 9 min from" in verdict.reason
    assert verdict.blocked_by == "No active weddings detected"


def test_weddings_without_a_gap_leave_no_window() -> None:
    season = [
        wedding("2026-06-10 10:00", "2026-06-10 11:00", id=n, setup=0 * HOUR, teardown=12 * HOUR)
        for n in range(3)
    ]
    verdict = ask(calendar(*season, horizon=12 * HOUR), at("2026-06-10 10:30", LONDON), 12 * HOUR)

    assert verdict.reason == (
        "3 active weddings in progress; no window of 12 h fits within 12 h, and none of any length"
    )
    assert verdict.next_safe_window is None


def test_a_window_ends_at_the_horizon_when_nothing_else_ends_it() -> None:
    verdict = ask(calendar(protected_weekdays=()), WEDNESDAY)

    assert verdict.next_safe_window == Window(WEDNESDAY, WEDNESDAY + 56 * DAY)


def test_a_run_that_fits_to_the_microsecond_fits() -> None:
    known = calendar(protected_weekdays=(), horizon=DAY)

    assert ask(known, WEDNESDAY, DAY).next_safe_window == Window(WEDNESDAY, WEDNESDAY + DAY)
    assert (
        ask(known, WEDNESDAY, DAY + MINUTE).reason
        == "No active weddings detected; no window of 1 d 1 min fits within 1 day,"
        " the longest is 1 d from Wed 10 Jun 2026, 10:00 London (09:00 UTC)"
    )


def test_instants_in_other_zones_are_the_same_instants() -> None:
    new_zealand = timezone(timedelta(hours=12))
    local = at("2026-06-13 12:00").astimezone(new_zealand)
    verdict = judge(calendar=calendar(), start=local, duration=HOUR, now=local)

    assert verdict == ask(calendar(), at("2026-06-13 12:00"), HOUR)


@pytest.mark.parametrize(
    "start",
    [
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
        datetime(9999, 12, 1, tzinfo=UTC),
        datetime.fromisoformat("2026-06-10"),
    ],
)
def test_an_impossible_instant_is_refused_in_words(start: datetime) -> None:
    with pytest.raises(ValueError, match="too near the edge|no instant"):
        ask(calendar(), start, now=WEDNESDAY)


def test_an_impossible_duration_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="less than no time"):
        ask(calendar(), WEDNESDAY, timedelta(seconds=-1))
    with pytest.raises(ValueError, match="too near the edge"):
        ask(calendar(), WEDNESDAY, timedelta.max)


def test_an_unknown_zone_is_refused_in_words() -> None:
    for name in ("Mars/Olympus", "../etc/passwd", "", "Europe"):
        with pytest.raises(ValueError, match="not a known time zone"):
            ask(calendar(zones=(name,)), WEDNESDAY)


def test_protection_in_force_leaves_the_buffer_aside() -> None:
    def holds(moment: datetime) -> bool:
        return in_force(ask(calendar(), moment), moment) is not None

    assert not holds(at("2026-06-12 23:59", LONDON))
    assert holds(at("2026-06-13 00:00", LONDON))
    assert not holds(at("2026-06-14 00:00", LONDON))


def test_a_wedding_is_no_day_protection() -> None:
    moment = at("2026-06-10 12:00")

    assert in_force(ask(calendar(PARTY), moment), moment) is None


def test_a_verdict_survives_json() -> None:
    for start in (at("2026-06-10 12:00"), at("2026-06-13 12:00"), at("2026-06-09 12:00")):
        verdict = ask(calendar(PARTY), start)
        assert verdict_from_json(verdict.as_json()) == verdict
    nothing_fits = ask(calendar(), at("2026-06-13 12:00"), 6 * DAY)
    assert verdict_from_json(nothing_fits.as_json()) == nothing_fits


def test_the_words_of_a_verdict_on_the_wire() -> None:
    assert ask(calendar(PARTY), at("2026-06-10 12:00")).as_json() == {
        "safe": False,
        "reason": "1 active wedding in progress",
        "blockers": [
            {
                "rule": "wedding",
                "what": "Protected for wedding 3 from Wed 10 Jun 2026, 12:00 Berlin (10:00 UTC)"
                " until Wed 10 Jun 2026, 23:00 Berlin (21:00 UTC)",
                "from": "2026-06-10T10:00:00+00:00",
                "until": "2026-06-10T21:00:00+00:00",
            }
        ],
        "next_safe_window": {
            "start": "2026-06-10T21:15:00+00:00",
            "end": "2026-06-12T21:44:00+00:00",
        },
    }


def test_the_strip_of_seven_days_shows_all_that_is_protected() -> None:
    week = Window(at("2026-06-10 00:00"), at("2026-06-17 00:00"))
    spans = protected_spans(calendar=calendar(PARTY), window=week, now=WEDNESDAY)

    assert [(span.rule, span.start) for span in spans] == [
        ("wedding", at("2026-06-10 10:00")),
        ("protected_weekday", at("2026-06-12 22:00")),
        ("protected_weekday", at("2026-06-12 23:00")),
    ]
