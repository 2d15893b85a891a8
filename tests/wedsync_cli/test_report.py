import io

import pytest

from calendar_guard.words import Policy
from runs.words import figure
from wedsync_cli import report
from wedsync_cli.say import Say

DATA = {"rps": 1234.5, "error_rate": 0.0031, "p95_ms": 812.4, "users": 20}
RUN = {
    "state": "failed",
    "verdict": {
        "outcome": "failed",
        "reason": "p95 was 912 ms, limit 800 ms",
        "checks": [
            {"text": "p95 > 800ms", "measured": "912 ms", "held": False},
            {"text": "errors > 1%", "measured": "no data", "held": None},
        ],
    },
    "totals": {"requests": 5210, "rps": 86.8, "error_rate": 0.0, "p50_ms": 40, "p95_ms": 912},
    "endpoints": [{"name": "upload photo", "requests": 210, "errors": 0, "p95_ms": 1502.2}],
}


def test_the_live_line_says_time_rate_errors_p95_and_users() -> None:
    line = report.live_line(DATA, elapsed_s=72.9)

    assert " ".join(line.split()) == "01:12 1 234/s 0.31 % errors p95 812 ms 20 users"


def test_a_live_line_before_the_first_sample_shows_that_there_is_none() -> None:
    empty = {"rps": 0, "error_rate": 0, "p95_ms": None, "users": None}

    assert "p95      - ms" in report.live_line(empty, elapsed_s=0)


def test_a_live_line_says_nothing_of_users_before_the_tool_does() -> None:
    assert "user" not in report.live_line({**DATA, "users": None}, elapsed_s=1)
    assert report.live_line({**DATA, "users": 0}, elapsed_s=1).endswith(" 0 users")
    assert report.live_line({**DATA, "users": 1}, elapsed_s=1).endswith(" 1 user ")


def test_a_live_line_keeps_its_columns_while_numbers_grow() -> None:
    small = report.live_line({**DATA, "rps": 1, "p95_ms": 9}, elapsed_s=1)

    assert len(small) == len(report.live_line(DATA, elapsed_s=1))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0"), (0.4, "0.4"), (38.24, "38.2"), (1240.4, "1 240"), (98765, "98 765")],
)
def test_numbers_from_100_on_are_whole_and_smaller_ones_have_three_digits(
    value: float | None, text: str
) -> None:
    assert report.number(value) == text


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("passed", 0), ("failed", 1), ("refused", 2), ("aborted", 3), ("errored", 4), ("lost", 4)],
)
def test_each_outcome_has_its_exit_code(outcome: str, code: int) -> None:
    assert report.exit_code({"outcome": outcome}) == code


def test_a_run_without_a_verdict_counts_as_crashed() -> None:
    assert report.exit_code(None) == 4


def test_the_report_begins_with_the_verdict_and_names_each_check() -> None:
    lines = report.run_lines(RUN)

    assert lines[0] == "Failed: p95 was 912 ms, limit 800 ms"
    assert lines[1].split(maxsplit=1) == ["broken", "p95 > 800ms: 912 ms"]
    assert lines[2].strip().startswith("no data")
    assert "5 210 requests" in lines[4]
    assert lines[-1].split() == ["upload", "photo", "210", "0", "-", "1", "502"]


def test_a_refusal_names_who_blocks_and_when_it_would_be_safe() -> None:
    blocker = {"rule": "wedding", "what": "Protected for wedding 1 until 23:00"}
    window = {"start": "2026-06-15T07:00:00+00:00", "end": "2026-06-19T22:44:00+00:00"}

    lines = report.calendar_lines({"blockers": [blocker], "next_safe_window": window})

    assert lines == [
        "  Protected for wedding 1 until 23:00",
        "  Next safe window: from Mon 15 Jun 2026, 08:00 London (07:00 UTC)"
        " until Fri 19 Jun 2026, 23:44 London (22:44 UTC)",
    ]


def test_a_window_whose_utc_day_is_another_names_both_days() -> None:
    window = {"start": "2026-06-14T23:30:00+00:00", "end": "2026-11-19T22:44:00+00:00"}

    assert report.calendar_lines({"next_safe_window": window}) == [
        "  Next safe window: from Mon 15 Jun 2026, 00:30 London (Sun 14 Jun, 23:30 UTC)"
        " until Thu 19 Nov 2026, 22:44 London (22:44 UTC)",
    ]


def test_without_time_zones_on_the_machine_a_window_is_told_in_utc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "_HOME_ZONE", "Mars/Olympus")

    assert report._spoken("2026-06-14T23:30:00+00:00") == "Sun 14 Jun 2026, 23:30 UTC"


def test_the_home_zone_is_the_guards() -> None:
    assert Policy().home_zone == report._HOME_ZONE


@pytest.mark.parametrize(
    "value", [0, 0.00002, 0.0444, 1.005, 2.675, 12.35, 99.96, 999.5, 4473, 1e7]
)
def test_a_figure_reads_the_same_in_the_terminal_and_on_the_page(value: float) -> None:
    assert report.number(value) == figure(value)


def _blocker(what: str) -> dict[str, str]:
    return {"rule": "wedding", "what": f"Protected {what} from Wed 10 Jun"}


def test_only_a_wedding_that_was_added_by_hand_and_blocks_is_named() -> None:
    blockers = [_blocker("for wedding 1"), _blocker("for wedding 17"), _blocker("as Saturday")]

    assert report.by_hand_line(blockers, [7], afresh="rm") == ""
    assert report.by_hand_line(blockers, [7, 17], afresh="rm -r .wedsync/demo") == (
        "Wedding 17 was added by hand. To start afresh, stop and run: rm -r .wedsync/demo"
    )
    assert report.by_hand_line(blockers, [1, 17], afresh="rm").startswith(
        "Wedding 1 and wedding 17 were added by hand."
    )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_live_line_is_rewritten_in_place() -> None:
    out = Terminal()
    say = Say(out)

    say.live("one")
    say.live("two")
    say.line("done")

    assert out.getvalue() == "\rone\x1b[K\rtwo\x1b[K\ndone\n"


def test_elsewhere_a_live_line_is_written_now_and_then() -> None:
    out = io.StringIO()
    say = Say(out)

    say.live("one")
    say.live("two")

    assert out.getvalue() == "one\n"


def test_a_terminal_that_hung_up_does_not_stop_the_clearing_up() -> None:
    out = io.StringIO()
    out.close()

    Say(out).line("nobody reads this")
