"""Thresholds without a timeframe, judged once at the end."""

import pytest

from runs.thresholds import Check
from tests.runs.thresholds.seconds import Run, took


def check_of(text: str, latencies: list[float], *, errors: int = 0, unanswered: int = 0) -> Check:
    """Of a run of ten seconds."""
    run = Run([took(*latencies, errors=errors, unanswered=unanswered), *[None] * 8, took()])
    return run.judged(text).check


@pytest.mark.parametrize(
    ("text", "held", "measured", "sentence"),
    [
        ("p95 > 800ms", False, "912 ms", "p95 was 912 ms, limit 800 ms"),
        ("p95 > 1s", True, "912 ms", "p95 was 912 ms, limit 1 s"),
        ("p50 >= 912ms", False, "912 ms", "p50 was 912 ms, limit 912 ms"),
        ("p50 > 912ms", True, "912 ms", "p50 was 912 ms, limit 912 ms"),
        ("max > 911.9ms", False, "just above 912 ms", None),
        ("errors > 1%", False, "25 %", "the share of errors was 25 %, limit 1 %"),
        ("errors > 25%", True, "25 %", "the share of errors was 25 %, limit 25 %"),
        ("failures > 0", False, "1", "failed requests were 1, limit 0"),
        ("rps < 50", False, "0.4/s", "the rate was 0.4/s, limit 50/s"),
        ("requests < 100", False, "4", "requests were 4, limit 100"),
        ("requests < 4", True, "4", "requests were 4, limit 4"),
        ("p95 of home > 800ms", False, "912 ms", "p95 of home was 912 ms, limit 800 ms"),
        ("rps of home < 50", False, "0.4/s", "the rate of home was 0.4/s, limit 50/s"),
    ],
)
def test_a_threshold_describes_the_failure(
    text: str, held: bool, measured: str, sentence: str | None
) -> None:
    check = check_of(text, [912.0] * 4, errors=1)
    assert (check.text, check.held, check.measured) == (text, held, measured)
    assert sentence is None or check.sentence == sentence


@pytest.mark.parametrize(
    "text",
    ["p95 > 800ms", "errors > 1%", "rps > 50", "rps < 50", "max < 1s", "failures > 0", "users > 5"],
)
def test_no_data_is_not_a_pass(text: str) -> None:
    check = check_of(text, [])
    assert (check.held, check.measured) == (None, "no data")
    assert "no data is not a pass" in check.sentence


def test_too_few_requests_fail_even_when_there_were_none() -> None:
    assert check_of("requests < 100", []).held is False
    assert check_of("requests > 100", []).held is None


def test_a_dead_target_has_errors_but_no_latency_to_judge() -> None:
    assert check_of("p95 > 800ms", [], errors=7, unanswered=7).held is None
    assert check_of("errors > 1%", [], errors=7, unanswered=7).measured == "100 %"


@pytest.mark.parametrize(
    ("latency", "words"),
    [(0.0, "0 ms"), (0.1234, "0.123 ms"), (999.4, "999 ms"), (999.6, "1 s"), (12345.0, "12.3 s")],
)
def test_numbers_have_at_most_three_digits(latency: float, words: str) -> None:
    assert check_of("max > 99s", [latency]).measured == words


def test_an_endpoint_is_judged_by_its_own_requests() -> None:
    run = Run([took(10.0, name="home") | took(900.0, errors=1, name="GET /rsvp: late")])
    texts = [
        'p95 of "GET /rsvp: late" > 800ms',
        "p95 of home > 800ms",
        "errors of home > 1%",
        'errors of "GET /rsvp: late" > 1%',
        "requests of home < 1",
    ]
    assert [check.held for check in run.judged(*texts).checks] == [False, True, True, False, True]


@pytest.mark.parametrize("text", ["p95 of chekout > 1s", "rps of chekout < 1 for 1s"])
def test_an_unknown_label_is_no_data_and_says_which_labels_there_are(text: str) -> None:
    run = Run([took(10.0, name="checkout"), took(10.0, name="/rsvp")] * 5)
    check = run.judged(text).check
    assert (check.held, check.measured) == (None, "no data")
    assert "no endpoint is called “chekout” (there are “/rsvp”, “checkout”)" in check.sentence


def test_an_unknown_label_among_many_names_some() -> None:
    run = Run([{f"page {number}": ([1.0], 0, 0) for number in range(30)}])
    assert "and 22 more)" in run.judged("p95 of home > 1s").check.sentence


def test_too_few_requests_of_an_unknown_label_say_so() -> None:
    check = Run([took(1.0)]).judged("requests of chekout < 5").check
    assert check.held is False
    assert check.sentence == (
        "requests of chekout were 0, limit 5; no endpoint is called “chekout” (there are “home”)"
    )


@pytest.mark.parametrize(
    ("text", "held", "measured"),
    [
        ("p95 of http_req_waiting > 300ms", False, "400 ms"),
        ("p95 of metric http_req_waiting > 500", True, "400"),
        ("max of http_req_waiting > 300ms", False, "400 ms"),
        ("rate of checks < 99%", False, "75 %"),
        ("rate of checks < 75%", True, "75 %"),
        ("sum of guests > 10", False, "16"),
        ("sum of guests > 16", True, "16"),
        ("rate of cheks < 1%", None, "no data"),
        ("p95 of metric home > 1s", None, "no data"),
    ],
)
def test_a_metric_of_the_tool_is_judged_by_its_name(
    text: str, held: bool | None, measured: str
) -> None:
    run = Run([took(1.0)])
    run.measure(100, "http_req_waiting", 100.0, 400.0)
    run.measure(100, "checks", 1.0, 1.0, 0.0)
    run.measure(100, "checks", 1.0, name="rsvp")
    run.measure(100, "guests", 7.0, 9.0)
    check = run.judged(text).check
    assert (check.held, check.measured) == (held, measured)


def test_an_endpoint_goes_before_a_metric_of_the_same_name() -> None:
    run = Run([took(900.0, name="waiting")])
    run.measure(100, "waiting", 1.0)
    texts = ("p95 of waiting > 800ms", "p95 of metric waiting > 800ms")
    assert [check.held for check in run.judged(*texts).checks] == [False, True]


def test_users_are_the_most_at_once() -> None:
    run = Run([took(1.0), took(1.0)], users=7)
    checks = run.judged("users < 8", "users < 7").checks
    assert [(check.held, check.measured) for check in checks] == [(False, "7"), (True, "7")]
