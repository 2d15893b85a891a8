from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.past import rollup
from runs.past.rollup import Span, roll
from runs.samples import REQUESTS, Key, cells
from runs.samples.sketch import Sketch
from tests.runs.seconds import FULL_MINUTE, spans_of, steady

latencies = st.none() | st.floats(min_value=0.01, max_value=60_000)
requests = st.lists(st.tuples(st.sampled_from(["home", "rsvp"]), latencies), max_size=8)
measured = st.dictionaries(st.integers(min_value=0, max_value=250), requests, max_size=40)


def known(span: Span) -> tuple[object, ...]:
    """All that a span says; of its cells the sums only but for their last digits."""
    return span.at, span.seq, span.width, dict(span.data), span.sketch, cells.unpack(span.cells)


@given(measured)
def test_what_is_rolled_up_twice_is_as_if_rolled_up_once(
    found: dict[int, list[tuple[str, float | None]]],
) -> None:
    seconds = spans_of(found)
    at_once = [known(span) for span in roll(seconds, 60)]
    assert [known(span) for span in roll(roll(seconds, 10), 60)] == at_once


@given(measured, st.sampled_from([10, 60]))
def test_no_request_and_no_error_is_lost_or_told_twice(
    found: dict[int, list[tuple[str, float | None]]], width: int
) -> None:
    wider = roll(spans_of(found), width)
    told = [value for values in found.values() for value in values]
    assert sum(span.data["requests"] for span in wider) == len(told)
    assert sum(span.data["errors"] for span in wider) == sum(ms is None for _, ms in told)
    assert sum(span.data["seconds"] for span in wider) == len(found)
    kept = rollup.merged_cells(wider)
    assert kept is not None
    for name in ("home", "rsvp"):
        tallies = [tally for key, tally in kept.items() if key[:2] == (REQUESTS, name)]
        assert sum(tally.count for tally in tallies) == sum(one == name for one, _ in told)


@given(measured, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentiles_of_spans_are_those_of_all_values_at_once(
    found: dict[int, list[tuple[str, float | None]]], q: float
) -> None:
    at_once = Sketch()
    at_once.add([ms for values in found.values() for _, ms in values if ms is not None])
    wider = roll(roll(spans_of(found), 10), 60)
    assert rollup.merged_sketch(wider).quantile(q) == at_once.quantile(q)


def test_a_span_tells_its_own_percentiles_and_never_an_average_of_them() -> None:
    found = {at: [("home", 10.0)] * 99 for at in range(9)} | {9: [("home", 1000.0)] * 99}
    (span,) = roll(spans_of(found), 10)
    assert span.data["p50_ms"] == pytest.approx(10, rel=0.005)
    assert span.data["p95_ms"] == pytest.approx(1000, rel=0.005)


def test_spans_begin_at_full_tens_and_full_minutes() -> None:
    seconds = spans_of(steady(12, 10.0))
    later = [replace(span, at=span.at + timedelta(seconds=55)) for span in seconds]
    starts = [(span.at - FULL_MINUTE).total_seconds() for span in roll(later, 10)]
    assert starts == [50, 60]
    assert [span.at for span in roll(later, 60)] == [
        FULL_MINUTE,
        FULL_MINUTE + timedelta(minutes=1),
    ]


def test_the_rate_of_a_span_is_over_the_seconds_that_were_kept() -> None:
    found = {0: [("home", 5.0)] * 30, 1: [("home", 5.0)] * 10, 9: [("home", 5.0)] * 20}
    (span,) = roll(spans_of(found), 10)
    assert (span.data["seconds"], span.data["rps"]) == (3, 20.0)


def test_a_span_has_the_most_users_of_its_seconds_or_none() -> None:
    first, second = spans_of({0: [], 1: []}, users=7)
    quiet = replace(second, data=dict(second.data) | {"users": None})
    assert roll([first, quiet], 10)[0].data["users"] == 7
    assert roll([quiet], 10)[0].data["users"] is None


def test_a_second_kept_without_cells_leaves_none_to_its_span() -> None:
    first, second = spans_of({0: [("home", 5.0)], 1: [("home", 5.0)]})
    (span,) = roll([first, replace(second, cells=b"")], 10)
    assert span.cells == b""
    assert span.data["requests"] == 2
    assert rollup.merged_cells([span]) is None


def test_other_metrics_of_the_tool_are_rolled_up_too() -> None:
    kept = rollup.merged_cells(roll(spans_of(steady(3, 10.0, each=4)), 10))
    assert kept is not None
    assert kept[Key("http_req_waiting", "home", "200")].count == 12
