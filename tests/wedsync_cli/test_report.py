import io

import pytest

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

    assert " ".join(line.split()) == "01:12 1 230/s 0.31 % errors p95 812 ms 20 users"


def test_a_live_line_before_the_first_sample_shows_that_there_is_none() -> None:
    empty = {"rps": 0, "error_rate": 0, "p95_ms": None, "users": None}

    assert "p95      - ms" in report.live_line(empty, elapsed_s=0)


def test_a_live_line_keeps_its_columns_while_numbers_grow() -> None:
    small = report.live_line({**DATA, "rps": 1, "p95_ms": 9}, elapsed_s=1)

    assert len(small) == len(report.live_line(DATA, elapsed_s=1))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0"), (0.4, "0.4"), (38.24, "38.2"), (1240.4, "1 240"), (98765, "98 800")],
)
def test_numbers_have_three_digits_and_a_thousands_space(value: float | None, text: str) -> None:
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
    assert lines[-1].split() == ["upload", "photo", "210", "0", "-", "1", "500"]


def test_a_refusal_names_who_blocks_and_when_it_would_be_safe() -> None:
    blocker = {"rule": "wedding", "what": "Protected for wedding 1 until 23:00"}
    window = {"start": "2026-06-15T07:00:00+00:00", "end": "2026-06-19T22:44:00+00:00"}

    lines = report.calendar_lines({"blockers": [blocker], "next_safe_window": window})

    assert lines == [
        "  Protected for wedding 1 until 23:00",
        "  Next safe window: 2026-06-15T07:00:00+00:00 to 2026-06-19T22:44:00+00:00",
    ]


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
