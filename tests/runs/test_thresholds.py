import pytest

from runs.samples import REQUESTS, Aggregator, Batch, Cell, Key, Totals
from runs.thresholds import ThresholdError, judge, parse


def totals_of(latencies: list[float], *, errors: int = 0, unanswered: int = 0) -> Totals:
    """A run of ten seconds."""
    aggregator = Aggregator()
    key = Key(REQUESTS, "a")
    cells = {(0, key): Cell(latencies, errors, unanswered), (9, key): Cell()}
    aggregator.add(Batch(cells))
    return aggregator.totals()


@pytest.mark.parametrize(
    ("text", "subject", "symbol", "limit"),
    [
        ("p95 > 800ms", "p95", ">", 800.0),
        ("  p99.9>=1.5s ", "p99.9", ">=", 1500.0),
        ("p50 <= 0.25 s", "p50", "<=", 250.0),
        ("errors > 1%", "errors", ">", 1.0),
        ("errors>=0.5 %", "errors", ">=", 0.5),
        ("rps < 50", "rps", "<", 50.0),
        ("requests < 100", "requests", "<", 100.0),
        ("max > 5s", "max", ">", 5000.0),
    ],
)
def test_a_threshold_is_read(text: str, subject: str, symbol: str, limit: float) -> None:
    threshold = parse(text)
    assert (threshold.subject, threshold.operator, threshold.limit) == (subject, symbol, limit)
    assert threshold.text == text.strip()


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("", 0, "what to measure"),
        ("   ", 3, "what to measure"),
        ("> 800ms", 0, "what to measure"),
        ("p95", 3, "Expected one of"),
        ("p95 = 800ms", 4, "Expected one of"),
        ("p95 >", 5, "Expected a number"),
        ("p95 > fast", 6, "Expected a number"),
        ("p95 > -1ms", 6, "Expected a number"),
        ("p95 > 800", 9, "Say the unit"),
        ("p95 > 800m", 9, "Say the unit"),
        ("p95 > 8%", 7, "Say the unit"),
        ("errors > 1", 10, "errors > 1%"),
        ("errors > 10ms", 11, "errors > 1%"),
        ("rps < 50/s", 8, "Did not expect “/s”"),
        ("rps < 50s", 8, "plain number"),
        ("requests < 5%", 12, "plain number"),
        ("p95 > 800ms for 10s", 12, "Did not expect “for 10s”"),
        ("avg > 300ms", 0, "An average hides"),
        (" mean > 300ms", 1, "An average hides"),
        ("p0 > 1ms", 1, "between 0 and 100"),
        ("p100 > 1ms", 0, "Nothing here is called “p100”"),
        ("speed > 1", 0, "Nothing here is called “speed”"),
        ("p95 > " + "9" * 400 + "ms", 18, "Say the unit"),
    ],
)
def test_what_nobody_can_judge_points_at_the_character(
    text: str, position: int, sentence: str
) -> None:
    with pytest.raises(ThresholdError, match=sentence.replace("(", r"\(")) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.text == text


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
        ("rps < 50", False, "0.4/s", "the rate was 0.4/s, limit 50/s"),
        ("requests < 100", False, "4", "requests were 4, limit 100"),
        ("requests < 4", True, "4", "requests were 4, limit 4"),
    ],
)
def test_a_threshold_describes_the_failure(
    text: str, held: bool, measured: str, sentence: str | None
) -> None:
    check = judge(parse(text), totals_of([912.0] * 4, errors=1))
    assert (check.text, check.held, check.measured) == (text, held, measured)
    assert sentence is None or check.sentence == sentence


@pytest.mark.parametrize("text", ["p95 > 800ms", "errors > 1%", "rps > 50", "max < 1s"])
def test_no_data_is_not_a_pass(text: str) -> None:
    check = judge(parse(text), totals_of([]))
    assert (check.held, check.measured) == (None, "no data")
    assert "no data is not a pass" in check.sentence


def test_too_few_requests_fail_even_when_there_were_none() -> None:
    assert judge(parse("requests < 100"), totals_of([])).held is False
    assert judge(parse("requests > 100"), totals_of([])).held is None


def test_a_dead_target_has_errors_but_no_latency_to_judge() -> None:
    dead = totals_of([], errors=7, unanswered=7)
    assert judge(parse("p95 > 800ms"), dead).held is None
    assert judge(parse("errors > 1%"), dead).measured == "100 %"


@pytest.mark.parametrize(
    ("latency", "words"),
    [(0.0, "0 ms"), (0.1234, "0.123 ms"), (999.4, "999 ms"), (999.6, "1 s"), (12345.0, "12.3 s")],
)
def test_numbers_have_at_most_three_digits(latency: float, words: str) -> None:
    assert judge(parse("max > 99s"), totals_of([latency])).measured == words
