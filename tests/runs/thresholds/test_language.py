import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.thresholds import FEATURES, Threshold, ThresholdError, parse
from tests.runs.thresholds.writing import write


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
        ("failures >= 3", "failures", ">=", 3.0),
        ("users < 20", "users", "<", 20.0),
    ],
)
def test_a_threshold_of_the_whole_run_is_read(
    text: str, subject: str, symbol: str, limit: float
) -> None:
    threshold = parse(text)
    assert (threshold.subject, threshold.operator, threshold.limit) == (subject, symbol, limit)
    assert threshold.text == text.strip()
    assert (threshold.label, threshold.when, threshold.stops) == ("", "", False)


def test_the_words_of_a_threshold_may_all_be_there() -> None:
    threshold = parse(
        'wedding-critical feature guest list: p95 of "GET /rsvp: late" > 0.8s for 1m30s,'
        " stop as failed"
    )
    assert threshold.is_critical
    assert threshold.feature == "guest list"
    assert threshold.label == "GET /rsvp: late"
    assert threshold.limit == 800.0
    assert (threshold.when, threshold.seconds, threshold.stops) == ("for", 90, True)


@pytest.mark.parametrize(
    ("text", "when", "seconds", "stops"),
    [
        ("p95 of checkout > 800ms for 10s, stop as failed", "for", 10, True),
        ("errors > 1% over 1m", "over", 60, False),
        ("rps < 50 for 30s", "for", 30, False),
        ("rps < 50 for 30s , continue as failed", "for", 30, False),
        ("rps<50for 30 s,stop  as  failed", "for", 30, True),
        ("p95 > 1s over 1h", "over", 3600, False),
        ("p95 > 1s over 1m 5s", "over", 65, False),
        ("errors > 1%, continue as failed", "", 0, False),
    ],
)
def test_a_span_says_how_long_and_what_then(
    text: str, when: str, seconds: int, stops: bool
) -> None:
    threshold = parse(text)
    assert (threshold.when, threshold.seconds, threshold.stops) == (when, seconds, stops)


@pytest.mark.parametrize(
    ("text", "label", "is_metric", "limit"),
    [
        ("p95 of checkout > 800ms", "checkout", False, 800.0),
        ("p95 of /rsvp > 800ms", "/rsvp", False, 800.0),
        ("p95 of http_req_waiting > 300ms", "http_req_waiting", False, 300.0),
        ("p95 of metric http_req_waiting > 300ms", "http_req_waiting", True, 300.0),
        ("p95 of metric cart_size > 12", "cart_size", True, 12.0),
        ("max of metric cart_size > 12 for 10s", "cart_size", True, 12.0),
        ("rate of checks < 99%", "checks", True, 99.0),
        ("rate of metric checks < 99%", "checks", True, 99.0),
        ("sum of data_sent > 1000000 over 1m", "data_sent", True, 1_000_000.0),
        ("p95 of metric > 1s", "metric", False, 1000.0),
        ('p95 of "a \\"b\\" \\\\ c" > 1s', 'a "b" \\ c', False, 1000.0),
    ],
)
def test_a_label_names_an_endpoint_or_a_metric(
    text: str, label: str, is_metric: bool, limit: float
) -> None:
    threshold = parse(text)
    assert (threshold.label, threshold.is_metric) == (label, is_metric)
    assert threshold.limit == limit


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
        ("p95 > 800 for 10s", 10, "Say the unit"),
        ("p95 of checkout > 800", 21, "p95 of metric checkout"),
        ("errors > 1", 10, "errors > 1%"),
        ("errors > 10ms", 11, "errors > 1%"),
        ("errors > 101%", 9, "between 0 and 100"),
        ("rps < 50/s", 8, "Did not expect “/s”"),
        ("rps < 50s", 8, "plain number"),
        ("requests < 5%", 12, "plain number"),
        ("avg > 300ms", 0, "An average hides"),
        (" mean > 300ms", 1, "An average hides"),
        ("p0 > 1ms", 1, "between 0 and 100"),
        ("p100 > 1ms", 0, "Nothing here is called “p100”"),
        ("speed > 1", 0, "Nothing here is called “speed”"),
        ("p95 > " + "9" * 400 + "ms", 18, "Say the unit"),
        ("p95 > 1s" + " " * 1000, 1000, "at most 1000 characters"),
        ("p95 of > 800ms", 7, "Expected a name"),
        ("p95 of GET /rsvp > 800ms", 11, "stands in quotes"),
        ('p95 of "GET /rsvp > 800ms', 7, "do not close"),
        ('p95 of "" > 800ms', 7, "is empty"),
        ("users of checkout < 5", 6, "whole test"),
        ("rps of metric checks < 5", 7, "A metric has"),
        ("rate > 5%", 5, "rate of checks"),
        ("rate of checks < 5", 18, "Say which share"),
        ("p95 > 800ms for", 15, "Expected whole seconds"),
        ("p95 > 800ms for 500ms", 16, "Expected whole seconds"),
        ("p95 > 800ms for 1.5s", 16, "Expected whole seconds"),
        ("p95 > 800ms for 0s", 16, "between 1 s and 1 h"),
        ("p95 > 800ms over 2h", 17, "between 1 s and 1 h"),
        ("p95 > 800ms within 10s", 12, "Did not expect “within 10s”"),
        ("users < 5 over 10s", 10, "Use for"),
        ("p95 > 800ms for 10s,", 20, "Expected stop as failed"),
        ("p95 > 800ms for 10s, stop", 21, "Expected stop as failed"),
        ("p95 > 800ms, stop as failed", 13, "Say how long"),
        ("p95 > 800ms for 10s stop as failed", 20, "Did not expect “stop"),
        ("feature seating: p95 > 1s", 8, "There are rsvp, photos, timeline, guest list and"),
        ("feature rsvp p95 > 1s", 13, "Expected a colon"),
        ("feature rsvps: p95 > 1s", 8, "Expected a feature"),
        ("wedding-critically p95 > 1s", 0, "Nothing here is called"),
    ],
)
def test_what_nobody_can_judge_points_at_the_character(
    text: str, position: int, sentence: str
) -> None:
    with pytest.raises(ThresholdError, match=re.escape(sentence)) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.text == text
    assert f"character {position + 1}: {caught.value.sentence}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  p95>800 ms ", "p95 > 800ms"),
        ("p95 of checkout>0.8s for 90s,continue as failed", "p95 of checkout > 0.8s for 1m30s"),
        ('errors of "checkout" > 1 % over 60s', "errors of checkout > 1% over 1m"),
        (
            "feature guest  list : wedding-critical: rate of metric checks<99%",
            "wedding-critical feature guest list: rate of checks < 99%",
        ),
        ('p95 of "metric" > 1s', 'p95 of "metric" > 1s'),
        ("p95 of metric cart > 3", "p95 of metric cart > 3"),
    ],
)
def test_one_threshold_has_one_canonical_text(text: str, canonical: str) -> None:
    assert write(parse(text)) == canonical
    assert write(parse(canonical)) == canonical


NUMBERS = st.decimals(0, 100, places=3, allow_nan=False).map(lambda number: f"{number:f}")
LABELS = st.text(st.characters(exclude_characters="\n"), min_size=1, max_size=30)


@st.composite
def written(draw: st.DrawFn) -> Threshold:
    kind = draw(st.sampled_from(["time", "errors", "count", "rate", "sum"]))
    subject = {
        "time": draw(st.sampled_from(["max", "p50", "p95", "p99.9"])),
        "count": draw(st.sampled_from(["rps", "requests", "failures"])),
    }.get(kind, kind)
    label = draw(LABELS) if kind in {"rate", "sum"} or draw(st.booleans()) else ""
    is_metric = kind in {"rate", "sum"} or (kind == "time" and bool(label) and draw(st.booleans()))
    units = ["ms", "s", *([""] if is_metric else [])]
    unit = draw(st.sampled_from({"time": units, "errors": ["%"], "rate": ["%"]}.get(kind, [""])))
    when = draw(st.sampled_from(["", "for", "over"]))
    return Threshold(
        text="",
        subject=subject,
        operator=draw(st.sampled_from([">", ">=", "<", "<="])),
        number=draw(NUMBERS),
        unit=unit,
        label=label,
        is_metric=is_metric,
        when=when,
        seconds=draw(st.integers(1, 3600)) if when else 0,
        stops=bool(when) and draw(st.booleans()),
        is_critical=draw(st.booleans()),
        feature=draw(st.sampled_from(["", *FEATURES])),
    )


@given(written())
def test_what_is_written_is_read_back_as_it_was(threshold: Threshold) -> None:
    assert parse(write(threshold)) == threshold


@given(st.text(st.sampled_from(list('p95 >of"rsvpms,for1%:\\ \n\u2003')), max_size=60))
def test_any_text_is_a_threshold_or_an_error_within_it(text: str) -> None:
    problem = None
    try:
        threshold = parse(text)
    except ThresholdError as error:
        problem = error
    if problem:
        assert 0 <= problem.position <= len(text)
    else:
        assert parse(write(threshold)) == threshold
