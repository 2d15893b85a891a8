"""Equal data has one text, and no column of any entry can change unseen."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import chain
from audit.chain import CHANGED, GENESIS, UNLINKED, Break, Row, Unstable, canonical

NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
FIRST = NAIVE.replace(year=1900)
COLUMNS = ("at", "actor", "action", "subject", "body", "previous", "hash", "version")

texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.datetimes(timezones=st.timezones(), min_value=FIRST)
    | st.timedeltas(min_value=timedelta(0))
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=12
)
data = st.dictionaries(texts, values)


def entries(count: int) -> list[Row]:
    rows: list[Row] = []
    head = GENESIS
    for number in range(1, count + 1):
        body = canonical({"number": number})
        row = Row(number, NOW, "ada", "ran", f"permit {number}", body, head, "", chain.FORMAT)
        row = replace(row, hash=chain.link(head, chain.text_of(row)))
        head = row.hash
        rows.append(row)
    return rows


def another(value: Any) -> Any:
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    return value + 1 if isinstance(value, int) else value + " "


@given(data)
def test_canonical_text_reads_back_as_the_text_it_was(data: dict[str, Any]) -> None:
    text = canonical(data)

    assert canonical(json.loads(text)) == text
    assert text.isascii()
    assert "\n" not in text


@given(data, st.randoms())
def test_the_order_of_keys_makes_no_difference(data: dict[str, Any], random: Any) -> None:
    items = list(data.items())
    random.shuffle(items)

    assert canonical(dict(items)) == canonical(data)


@given(st.integers(0, 4), st.sampled_from(COLUMNS))
def test_any_single_changed_column_is_found(place: int, column: str) -> None:
    rows = entries(5)
    rows[place] = replace(rows[place], **{column: another(getattr(rows[place], column))})

    assert chain.follow(rows).broken == Break(place + 1, CHANGED)


@given(st.integers(0, 4), data)
def test_a_body_forged_together_with_its_hash_is_found_at_the_next_entry(
    place: int, data: dict[str, Any]
) -> None:
    rows = entries(6)
    forged = replace(rows[place], body=canonical(data))
    rows[place] = replace(forged, hash=chain.link(forged.previous, chain.text_of(forged)))

    assert chain.follow(rows).broken == Break(place + 2, UNLINKED)


@given(st.permutations(range(5)))
def test_entries_in_another_order_are_found(order: list[int]) -> None:
    rows = entries(5)
    broken = chain.follow(rows[place] for place in order).broken

    moved = [place for at, place in enumerate(order) if place != at]
    assert broken == (Break(moved[0] + 1, UNLINKED) if moved else None)


def test_an_unbroken_chain_tells_its_length_and_its_head() -> None:
    rows = entries(3)
    verified = chain.follow(rows)

    assert (verified.count, verified.head, verified.broken) == (3, rows[-1].hash, None)
    assert chain.follow([]) == chain.Verified(0, GENESIS, None, True)


def test_gaps_between_ids_break_nothing() -> None:
    assert chain.follow(replace(row, id=row.id * 10) for row in entries(3)).broken is None


def test_an_end_that_was_cut_off_is_missed_by_a_noted_head_only() -> None:
    rows = entries(3)

    assert chain.follow(rows, noted=rows[1].hash).holds_noted
    cut = chain.follow(rows[:2], noted=rows[2].hash)
    assert cut.broken is None
    assert not cut.holds_noted


def test_a_chain_is_walked_one_entry_at_a_time() -> None:
    rows = entries(3)
    rows[1] = replace(rows[1], actor="eve")
    given_out: list[int] = []

    def walk() -> Iterator[Row]:
        for row in rows:
            given_out.append(row.id)
            yield row

    chain.follow(walk())
    assert given_out == [1, 2]


def test_the_format_is_never_changed_by_accident() -> None:
    cet = timezone(timedelta(hours=2))
    data = {
        "spans": ((NOW, timedelta(minutes=90)),),
        "at": datetime(2026, 6, 10, 11, 0, 0, 5, tzinfo=cet),
        "é": [1, 1.0, True, None],
    }
    text = canonical(data)

    assert text == (
        '{"at":"2026-06-10T09:00:00.000005+00:00",'
        '"spans":[["2026-06-10T09:00:00+00:00","PT1H30M"]],'
        '"\\u00e9":[1,1.0,true,null]}'
    )
    assert entries(1)[0].hash == "58a2ee1ffbd5652f3e0a9e5398691ea24394f1b76621f39e9ab26b456486a92a"


def nested(depth: int) -> dict[str, Any]:
    return {"in": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"a": [{"b": {1, 2}}]}, r"data\.a\[0\]\.b is a set, which has no one way"),
        ({"a": b"x"}, r"data\.a is a bytes"),
        ({"a": NOW.date()}, r"data\.a is a date"),
        ({1: "x"}, "data has the key 1; keys must be text"),
        ({"a": float("nan")}, r"data\.a is nan, which JSON cannot say"),
        ({"a": float("-inf")}, r"data\.a is -inf"),
        ({"a": 2**64}, r"data\.a is a number beyond 64 bits"),
        ({"a": "\ud83d"}, r"data\.a holds half a character"),
        ({"\udc00": 1}, "holds half a character"),
        ({"a": NAIVE}, r"data\.a is 2026-06-10T09:00:00 without an offset"),
        (
            {"a": datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))},
            r"data\.a is .* outside the calendar",
        ),
        ({"a": timedelta(-1)}, r"data\.a: A duration cannot be negative"),
    ],
)
def test_what_has_no_one_text_is_refused_in_a_sentence(bad: Any, sentence: str) -> None:
    with pytest.raises(Unstable, match=sentence):
        canonical(bad)


def test_data_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["in"] = loop
    with pytest.raises(Unstable, match="nested too deeply, or holds itself"):
        canonical(loop)
    assert canonical(nested(50))
