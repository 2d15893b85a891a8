import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.samples.sketch import Sketch

durations = st.floats(min_value=1e-6, max_value=1e12) | st.just(0.0)
batches = st.lists(durations, max_size=60)


def sketch_of(*groups: list[float]) -> Sketch:
    made = Sketch()
    for group in groups:
        made.add(group)
    return made


def exact(values: list[float], q: float) -> float:
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


@given(st.lists(durations, min_size=1, max_size=300), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_half_a_per_cent_of_the_exact_one(
    values: list[float], q: float
) -> None:
    assert sketch_of(values).quantile(q) == pytest.approx(exact(values, q), rel=0.005, abs=0)


@given(st.lists(durations, min_size=1))
def test_the_smallest_and_largest_value_are_exact(values: list[float]) -> None:
    sketch = sketch_of(values)
    assert (sketch.quantile(0), sketch.quantile(1)) == (min(values), max(values))


@given(st.lists(durations, min_size=1))
def test_quantiles_never_fall(values: list[float]) -> None:
    sketch = sketch_of(values)
    found = [sketch.quantile(step / 20) or 0.0 for step in range(21)]
    assert all(lower <= higher for lower, higher in pairwise(found))


@given(batches, batches, batches)
def test_merging_in_any_order_equals_adding_everything(
    a: list[float], b: list[float], c: list[float]
) -> None:
    left, right = sketch_of(a), sketch_of(c)
    left.merge(sketch_of(b))
    left.merge(sketch_of(c))
    right.merge(sketch_of(b))
    right.merge(sketch_of(a))
    assert left == right == sketch_of(a, b, c) == sketch_of(a + b + c)
    assert left.count == len(a + b + c)


@given(batches)
def test_bytes_give_the_same_sketch_back(values: list[float]) -> None:
    sketch = sketch_of(values)
    back = Sketch.from_bytes(sketch.to_bytes())
    assert back == sketch
    assert back.count == sketch.count


def test_a_second_of_a_thousand_alike_requests_takes_few_bytes() -> None:
    assert len(sketch_of([20 + step / 100 for step in range(1000)]).to_bytes()) < 400


@given(st.binary(max_size=60))
def test_bytes_that_are_no_sketch_are_refused_or_read_without_a_crash(data: bytes) -> None:
    try:
        Sketch.from_bytes(data)
    except ValueError:
        return
    assert data[0] == 1


def test_a_sketch_that_was_cut_short_is_refused() -> None:
    data = sketch_of([float(step) for step in range(1, 2000)]).to_bytes()
    with pytest.raises(ValueError, match="cut short|no sense"):
        Sketch.from_bytes(data[:-1])


def test_an_empty_sketch_has_no_quantile() -> None:
    assert Sketch().quantile(0.95) is None


def test_a_negative_duration_counts_as_zero() -> None:
    sketch = sketch_of([-5.0, -0.0, 0.0, 8.0])
    assert (sketch.count, sketch.quantile(0), sketch.quantile(0.5)) == (4, 0.0, 0.0)
    assert sketch.quantile(1) == 8.0


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, -math.nan])
def test_a_value_that_is_not_finite_is_refused_and_nothing_is_added(value: float) -> None:
    sketch = Sketch()
    with pytest.raises(ValueError, match="finite"):
        sketch.add([1.0, value])
    assert sketch.count == 0


def test_the_largest_float_is_still_a_duration() -> None:
    largest = 1.7976931348623157e308
    assert sketch_of([largest, largest]).quantile(0.5) == pytest.approx(largest, rel=0.005)


@pytest.mark.parametrize("q", [-0.1, 1.1])
def test_a_quantile_outside_zero_to_one_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sketch_of([1.0]).quantile(q)


def test_a_copy_does_not_change_with_its_original() -> None:
    sketch = sketch_of([1.0])
    twin = sketch.copy()
    sketch.add([2.0])
    assert twin == sketch_of([1.0])
    assert repr(twin) == "Sketch(count=1, min=1, max=1)"
