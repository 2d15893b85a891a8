"""`for` and `over`, second by second; a naive reference over raw values has the last word."""

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.samples import Batch, Second
from runs.samples.aggregator import Aggregator
from runs.samples.sketch import Sketch
from runs.thresholds import Judge, Threshold, parse
from tests.runs.thresholds.seconds import Raw, Requests, Run, took

SLOW, FAST = took(900.0), took(10.0)


@pytest.mark.parametrize(
    ("seconds", "spans"),
    [
        ([SLOW] * 3, [(0, 2)]),
        ([SLOW] * 2, []),
        ([SLOW] * 9, [(0, 2)]),
        ([SLOW, SLOW, FAST] * 3, []),
        ([FAST, SLOW, SLOW, SLOW], [(1, 3)]),
        ([SLOW, SLOW, SLOW, FAST, SLOW, SLOW, SLOW], [(0, 2), (4, 6)]),
        ([SLOW, SLOW, None, SLOW, SLOW], []),
        ([SLOW, SLOW, {}, SLOW, SLOW], []),
        ([SLOW, SLOW, took(errors=5, unanswered=5), SLOW], []),
    ],
)
def test_for_is_true_in_every_second_of_the_span(
    seconds: list[Raw | None], spans: list[tuple[int, int]]
) -> None:
    assert Run(seconds).judged("p95 > 800ms for 3s").spans == spans


def test_a_second_without_requests_counts_as_none() -> None:
    full = took(*[1.0] * 50)
    run = Run([full, full, None, None, None, full, full])
    assert run.judged("rps < 50 for 3s").spans == [(2, 4)]
    assert run.judged("requests < 50 for 3s").spans == [(2, 4)]
    assert run.judged("rps < 50 for 4s").check.held is True


def test_the_first_and_the_last_second_may_be_partial_and_are_not_called_too_few() -> None:
    full, part = took(*[1.0] * 50), took(1.0)
    assert Run([part, full, full, part]).judged("rps < 50 for 1s").check.held is True
    assert Run([full, part, full]).judged("rps < 50 for 1s").spans == [(1, 1)]
    assert Run([full, part]).judged("rps > 49 for 1s").spans == [(0, 0)]


def test_an_endpoint_is_too_rare_only_after_it_was_first_asked_for() -> None:
    home, both = took(1.0), took(1.0) | took(1.0, name="rsvp")
    run = Run([home] * 10 + [both] * 3 + [home] * 3)
    assert run.judged("rps of rsvp < 1 for 2s").spans == [(13, 14)]


def test_over_judges_full_windows_of_all_their_samples() -> None:
    bad = took(*[1.0] * 10, errors=5)
    good = took(*[1.0] * 10)
    run = Run([bad, good, good, good, bad, good, good])
    assert run.judged("errors > 10% over 4s").spans == [(0, 3)]
    assert run.judged("errors > 12.5% over 4s").spans == []
    assert run.judged("errors >= 12.5% over 4s").check.measured == "12.5 %"
    assert Run([bad] * 3).judged("errors > 1% over 4s").check.held is None


def test_over_merges_percentiles_and_never_averages_them() -> None:
    """Nine quiet seconds with one slow request each, one busy fast second: p95 is the fast one."""
    run = Run([took(5000.0)] * 9 + [took(*[10.0] * 991)])
    assert run.judged("p95 > 1s over 10s").check.held is True
    assert run.judged("p99.5 > 1s over 10s").check.held is False


def test_a_window_forgets_what_left_it() -> None:
    run = Run([SLOW, FAST, FAST, FAST])
    judged = run.judged("max > 800ms over 2s")
    assert judged.spans == [(0, 1)]
    assert judged.heat.measured == "10 ms"


def test_a_sum_of_a_metric_is_that_of_the_window() -> None:
    run = Run([took(1.0)] * 5)
    for at in range(100, 105):
        run.measure(at, "guests", 4.0)
    assert run.judged("sum of guests > 11 over 3s").spans == [(0, 2)]
    assert run.judged("sum of guests > 12 over 3s").check.measured == "12"


def test_users_are_judged_where_they_are_known() -> None:
    run = Run([took(1.0)] * 4, users=7)
    assert run.judged("users < 8 for 3s").spans == [(0, 2)]
    assert Run([took(1.0)] * 4).judged("users < 8 for 3s").check.held is None


def test_a_test_that_is_shorter_than_the_span_proves_nothing() -> None:
    check = Run([FAST] * 7).judged("p95 > 800ms for 10s").check
    assert (check.held, check.measured) == (None, "no data")
    assert "the test had 7 of the 10 s that it needs" in check.sentence


def test_a_check_says_how_near_it_came() -> None:
    assert Run([SLOW, SLOW, FAST]).judged("p95 > 800ms for 3s").check.measured == "2 of 3 s"
    errors = Run([took(1.0, 1.0), took(1.0, 1.0, errors=1)])
    assert errors.judged("errors > 50% over 1s").check.measured == "50 %"
    check = Run([FAST] * 4).judged("errors > 1% over 3s").check
    assert (check.held, check.measured) == (True, "0 %")
    assert check.sentence == "the share of errors was never above 1 %"


def test_a_breach_is_told_in_a_sentence_with_its_marks() -> None:
    text = "wedding-critical feature rsvp: p95 of home > 800ms for 3s, stop as failed"
    judged = Run([SLOW] * 4).judged(text)
    (breach,), (kept,) = judged.breaches, judged.judge.kept()
    assert breach.sentence == "p95 of home stayed above 800 ms for 3 s, at last 900 ms"
    marks = (breach.threshold.is_critical, breach.threshold.feature, breach.threshold.stops)
    assert marks == (True, "rsvp", True)
    assert (breach.measured, kept["limit"], breach.threshold.text) == ("900 ms", "800 ms", text)
    (breach,) = Run([took(1.0, errors=1)] * 60).judged("errors > 1% over 1m").breaches
    assert breach.sentence == "the share of errors was 100 % over 1 min, limit 1 %"
    run = Run([FAST] * 5)
    assert run.judged("rps <= 1 for 2s").breaches[0].sentence == (
        "the rate stayed at or below 1/s for 2 s, at last 1/s"
    )


def test_what_is_kept_of_breaches_is_bounded_by_the_first_and_the_last() -> None:
    judged = Run([SLOW, FAST] * 50).judged("p95 > 800ms for 1s", "errors > 1% over 1s")
    (kept,) = json.loads(json.dumps(judged.judge.kept()))
    assert (kept["threshold"], kept["count"], kept["is_on"]) == ("p95 > 800ms for 1s", 50, False)
    assert kept["first"]["at"] == "1970-01-01T00:01:40+00:00"
    assert kept["last"]["since"] == "1970-01-01T00:03:18+00:00"
    assert judged.checks[0].sentence.endswith("(50 times)")


@pytest.mark.parametrize(
    ("text", "seconds", "said", "share"),
    [
        ("p95 > 800ms for 10s", [FAST] + [SLOW] * 6, "6 of 10 s", 0.6),
        ("p95 > 800ms for 2s", [SLOW] * 6, "2 of 2 s", 1.0),
        ("errors > 1% over 10s", [FAST] * 4, "4 of 10 s", 0.0),
        ("max > 100ms over 2s", [FAST] * 4, "10 ms, limit 100 ms", 0.1),
        ("rps < 5 over 2s", [took(*[1.0] * 10)] * 4, "10/s, limit 5/s", 0.5),
        ("p95 > 800ms", [FAST, took(400.0)], "400 ms, limit 800 ms", 0.5),
        ("failures > 0 over 2s", [FAST] * 2, "0, limit 0", 0.0),
        ("p95 of rsvp > 800ms", [FAST], "no data", 0.0),
    ],
)
def test_heat_says_how_near_a_threshold_is(
    text: str, seconds: list[Raw | None], said: str, share: float
) -> None:
    heat = Run(seconds).judged(text).heat
    assert (heat.said, heat.is_broken) == (said, share == 1)
    assert heat.share == pytest.approx(share, rel=0.01)


def test_a_second_is_seen_once_and_an_enormous_gap_is_bounded() -> None:
    judge = Judge([parse("rps < 5 for 2s")])
    run = Run([took(*[1.0] * 9)] * 2).closed
    assert judge.see(run[0]) == judge.see(run[1]) == judge.see(run[0]) == []
    far = Second(10**9, 0, 0, None, Sketch())
    assert len(judge.see(far)) == 1


def test_a_label_is_looked_up_over_all_answers() -> None:
    aggregator, judge = Aggregator(), Judge([parse("errors of home > 20% for 1s")])
    batch = Batch()
    for second, status in ((100, "200"), (100, "500"), (100, "404")):
        key = next(iter(Run([took()]).closed[0].cells))._replace(status=status)
        batch.add(second, key, 1.0, failed=status != "200")
    aggregator.add(batch)
    (breach,) = judge.see(aggregator.closed(0.0, everything=True)[0])
    assert breach.measured == "66.7 %"


def raw_value(threshold: Threshold, seconds: list[Raw]) -> float | None:
    """From the raw values of all these seconds together."""
    found: list[Requests] = [
        requests
        for second in seconds
        for name, requests in second.items()
        if threshold.label in {"", name}
    ]
    values = sorted(value for latencies, _, _ in found for value in latencies)
    requests = len(values) + sum(unanswered for _, _, unanswered in found)
    errors = sum(errors for _, errors, _ in found)
    if threshold.subject in {"rps", "requests", "failures"}:
        per_second = requests / len(seconds)
        return {"rps": per_second, "requests": requests, "failures": errors}[threshold.subject]
    if threshold.subject == "errors":
        return 100 * errors / requests if requests else None
    quantile = threshold.quantile
    assert quantile is not None
    return values[max(1, math.ceil(quantile * len(values))) - 1] if values else None


def crosses(threshold: Threshold, value: float | None) -> bool:
    if value is None:
        return False
    limit = threshold.limit
    return {
        ">": value > limit,
        ">=": value >= limit,
        "<": value < limit,
        "<=": value <= limit,
    }[threshold.operator]


def reference(
    threshold: Threshold, run: list[Raw | None]
) -> tuple[list[tuple[int, int]], bool | None]:
    """Every breach as its first and last second, and whether the threshold held."""
    told = [at for at, raw in enumerate(run) if raw]
    asked = [at for at in told if threshold.label in {"", *(run[at] or {})}]
    is_partial = threshold.operator in {"<", "<="} and threshold.subject in {
        "rps", "requests", "failures",
    }  # fmt: skip
    if not asked:
        return [], None
    seconds = [run[at] or {} for at in range(told[-1] + 1)]
    judged = range(asked[0] + is_partial, told[-1] + 1 - is_partial)
    n = threshold.seconds
    ends = [at for at in judged if at - n + 1 >= judged.start]
    windows = {at: seconds[at - n + 1 : at + 1] for at in ends}
    if threshold.when == "for":
        values = {at: raw_value(threshold, [seconds[at]]) for at in judged}
        true = {
            at: all(crosses(threshold, values[each]) for each in range(at - n + 1, at + 1))
            for at in ends
        }
    else:
        values = {at: raw_value(threshold, window) for at, window in windows.items()}
        true = {at: crosses(threshold, value) for at, value in values.items()}
    before = [False, *true.values()]
    began = [at for at, (was, now) in zip(ends, pairwise(before), strict=True) if now and not was]
    is_judged = bool(ends) and any(value is not None for value in values.values())
    held = False if began else (True if is_judged else None)
    return [(at - n + 1, at) for at in began], held


LATENCIES = st.lists(st.sampled_from([10.0, 100.0, 1000.0]), max_size=4)


@st.composite
def requests(draw: st.DrawFn) -> Requests:
    values = draw(LATENCIES)
    unanswered = draw(st.integers(0 if values else 1, 2))
    return values, draw(st.integers(unanswered, len(values) + unanswered)), unanswered


SECONDS = st.none() | st.dictionaries(st.sampled_from("ab"), requests(), min_size=1)
LIMITS = {"errors": ["0", "40", "50"], "rps": ["1", "2.5"], "requests": ["2"], "failures": ["1"]}


@st.composite
def spanning(draw: st.DrawFn) -> str:
    subject = draw(st.sampled_from(["p50", "p95", "max", "errors", "rps", "requests", "failures"]))
    number = draw(st.sampled_from(LIMITS.get(subject, ["50", "500"])))
    unit = {"errors": "%", "rps": "", "requests": "", "failures": ""}.get(subject, "ms")
    label = draw(st.sampled_from(["", " of a"]))
    operator = draw(st.sampled_from([">", ">=", "<", "<="]))
    when, seconds = draw(st.sampled_from(["for", "over"])), draw(st.integers(1, 4))
    return f"{subject}{label} {operator} {number}{unit} {when} {seconds}s"


@settings(max_examples=400)
@given(spanning(), st.lists(SECONDS, min_size=1, max_size=14))
def test_a_span_is_broken_where_the_raw_values_say_so(text: str, run: list[Raw | None]) -> None:
    judged = Run(run).judged(text)
    spans, held = reference(parse(text), run)
    assert judged.spans == spans
    assert judged.check.held is held
