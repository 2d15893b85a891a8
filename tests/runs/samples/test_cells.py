import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.samples import REQUESTS, Cell, Key, Tally, cells

keys = st.builds(Key, st.sampled_from([REQUESTS, "checks", ""]), st.text(max_size=5), st.text())
values = st.lists(st.floats(-5, 1e9), max_size=20)


def tally(values: list[float], unanswered: int = 0) -> Tally:
    made = Tally()
    made.take(Cell(values, errors=unanswered, unanswered=unanswered))
    return made


tallies = st.builds(tally, values, st.integers(0, 9))
some_cells = st.dictionaries(keys, tallies, max_size=8)


@given(some_cells)
def test_bytes_give_the_same_cells_back(packed: dict[Key, Tally]) -> None:
    found = cells.unpack(cells.pack(packed))
    assert found == packed
    assert {key: tally.total for key, tally in found.items()} == {
        key: tally.total for key, tally in packed.items()
    }


@given(some_cells, some_cells)
def test_merging_adds_key_by_key_and_leaves_its_parts_alone(
    one: dict[Key, Tally], two: dict[Key, Tally]
) -> None:
    before = cells.pack(one), cells.pack(two)
    merged = cells.merge([one, two])
    assert merged == cells.merge([two, one])
    assert merged.keys() == one.keys() | two.keys()
    for key, found in merged.items():
        parts = [part[key] for part in (one, two) if key in part]
        assert found.count == sum(part.count for part in parts)
        assert found.sketch.count == sum(part.sketch.count for part in parts)
    assert (cells.pack(one), cells.pack(two)) == before


def test_nothing_merges_to_nothing() -> None:
    assert cells.merge([]) == {}
    assert cells.unpack(cells.pack({})) == {}


def test_a_second_of_a_real_size_takes_few_bytes() -> None:
    latencies = [20 + step / 10 for step in range(200)]
    metrics = [f"http_req_{number}" for number in range(10)]
    many = {
        Key(metric, f"GET /{name}", "200"): tally(latencies)
        for metric in metrics
        for name in "abcde"
    }
    assert len(cells.pack(many)) < 50 * 150


@given(st.binary(max_size=60))
def test_bytes_that_are_no_cells_are_refused(data: bytes) -> None:
    for rubbish in (data, b"\x01" + data, b"\x01" + zlib.compress(data)):
        try:
            cells.unpack(rubbish)
        except ValueError:
            continue
        assert rubbish[0] == 1


@given(some_cells.filter(bool), st.data())
def test_cells_that_were_cut_short_are_refused(
    packed: dict[Key, Tally], data: st.DataObject
) -> None:
    whole = cells.pack(packed)
    with pytest.raises(ValueError, match="known version|cut short"):
        cells.unpack(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(("count", "errors"), [(-1, -1), (2, 3), (2, -1), (1, 0)])
def test_numbers_that_make_no_sense_are_refused(count: int, errors: int) -> None:
    packed = [count, errors, 3.0, tally([1.0, 2.0]).sketch.to_bytes()]
    data = b"\x01" + zlib.compress(msgspec.msgpack.encode({"m": {"": {"": packed}}}))
    with pytest.raises(ValueError, match="no sense"):
        cells.unpack(data)
