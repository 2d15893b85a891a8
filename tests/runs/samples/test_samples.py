import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.samples import REQUESTS, Batch, Cell, Key
from runs.samples.aggregator import MOST_OPEN, Aggregator
from runs.samples.limits import MOST_NAMES, OTHER


def batch_of(
    *requests: tuple[int, str, float | None], users: dict[int, int] | None = None, failed: int = 0
) -> Batch:
    """A batch of (second, name, ms) whose first `failed` requests failed."""
    batch = Batch(users=users or {})
    for number, (second, name, latency) in enumerate(requests):
        batch.add(second, Key(REQUESTS, name), latency, failed=number < failed)
    return batch


def test_a_second_closes_one_second_after_its_end() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((100, "home", 5.0), (101, "home", 7.0)))
    assert aggregator.closed(101.99) == []
    assert [second.at for second in aggregator.closed(102.0)] == [100]
    assert [second.at for second in aggregator.closed(102.0, everything=True)] == [101]
    assert aggregator.closed(999.0) == []


def test_closed_seconds_come_in_order() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((103, "a", 1.0), (101, "a", 1.0), (102, "a", 1.0)))
    assert [second.at for second in aggregator.closed(200.0)] == [101, 102, 103]


def test_a_late_sample_joins_the_oldest_open_second() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((100, "home", 5.0)))
    aggregator.closed(102.0)
    aggregator.add(batch_of((102, "home", 5.0), (103, "home", 5.0)))
    aggregator.add(batch_of((99, "home", 9.0)))
    assert [(second.at, second.requests) for second in aggregator.closed(200.0)] == [
        (102, 2),
        (103, 1),
    ]


def test_a_late_sample_without_an_open_second_opens_the_next_one() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((100, "home", 5.0)))
    aggregator.closed(102.0)
    aggregator.add(batch_of((100, "home", 5.0)))
    assert [second.at for second in aggregator.closed(200.0)] == [101]


def test_errors_and_quantiles_of_a_second() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((7, "a", 10.0), (7, "a", 20.0), (7, "b", 30.0), failed=1))
    (second,) = aggregator.closed(9.0)
    assert (second.requests, second.errors, second.error_rate) == (3, 1, 1 / 3)
    assert second.quantile_ms(1.0) == 30.0


def test_an_unanswered_request_counts_but_has_no_latency() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((7, "a", None), failed=1))
    (second,) = aggregator.closed(9.0)
    assert (second.requests, second.errors, second.error_rate) == (1, 1, 1.0)
    assert second.quantile_ms(0.95) is None


def test_a_second_without_requests_has_users_but_no_percentiles() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of(users={7: 12}))
    (second,) = aggregator.closed(9.0)
    assert (second.requests, second.users, second.error_rate) == (0, 12, 0.0)
    assert second.quantile_ms(0.5) is None


def test_a_second_without_news_of_users_has_those_of_the_one_before() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((7, "a", 1.0), (8, "a", 1.0), (9, "a", 1.0), users={7: 3, 9: 5}))
    assert [second.users for second in aggregator.closed(10.0)] == [3, 3]
    aggregator.add(batch_of((10, "a", 1.0)))
    assert [second.users for second in aggregator.closed(99.0)] == [5, 5]


def test_before_the_first_news_of_users_their_number_is_unknown() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((7, "a", 1.0)))
    (second,) = aggregator.closed(99.0)
    assert second.users is None
    assert aggregator.totals().users is None


def test_the_open_second_is_told_only_when_it_changed() -> None:
    aggregator = Aggregator()
    assert aggregator.open_second() is None
    aggregator.add(batch_of((7, "a", 1.0), (8, "a", 1.0)))
    told = aggregator.open_second()
    assert told is not None
    assert (told.at, told.requests) == (8, 1)
    assert aggregator.open_second() is None
    aggregator.add(batch_of((8, "a", 1.0)))
    again = aggregator.open_second()
    assert again is not None
    assert again.requests == 2
    assert told.sketch.count == 1


def test_a_closed_second_is_not_told_as_open() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((7, "a", 1.0)))
    aggregator.closed(99.0)
    assert aggregator.open_second() is None


def test_the_tools_clock_is_shifted_once() -> None:
    aggregator = Aggregator(shift_s=-1000)
    aggregator.add(batch_of((1100, "a", 1.0), users={1100: 1}))
    assert [second.at for second in aggregator.closed(102.0)] == [100]


def test_totals_span_the_first_to_the_last_second() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of((10, "a", 1.0), (13, "a", 3.0), users={10: 9, 13: 4}, failed=1))
    aggregator.closed(99.0)
    totals = aggregator.totals()
    assert (totals.requests, totals.errors, totals.users, totals.seconds) == (2, 1, 9, 4)
    assert totals.rps == 0.5
    assert totals.quantile_ms(1.0) == 3.0


def test_the_totals_of_a_run_without_samples_are_empty() -> None:
    totals = Aggregator().totals()
    assert (totals.requests, totals.seconds, totals.rps, totals.error_rate) == (0, 0, 0.0, 0.0)
    assert totals.quantile_ms(0.95) is None


def test_endpoints_over_the_cap_are_collected_and_no_request_is_lost() -> None:
    aggregator = Aggregator()
    names = [f"page {number}" for number in range(MOST_NAMES + 30)]
    aggregator.add(batch_of(*((7, name, 1.0) for name in names), (7, "page 3", 2.0)))
    endpoints = aggregator.endpoints()
    assert len(endpoints) == MOST_NAMES + 1
    assert (endpoints[0].name, endpoints[0].requests) == ("page 3", 2)
    assert (endpoints[-1].name, endpoints[-1].requests) == (OTHER, 30)
    assert sum(endpoint.requests for endpoint in endpoints) == len(names) + 1
    assert endpoints[-1].quantile_ms(0.5) == 1.0


def test_a_tool_whose_clock_runs_wild_does_not_fill_the_memory() -> None:
    aggregator = Aggregator()
    aggregator.add(batch_of(*((number * 1000, "a", 1.0) for number in range(MOST_OPEN + 50))))
    seconds = aggregator.closed(0.0, everything=True)
    assert len(seconds) == MOST_OPEN
    assert sum(second.requests for second in seconds) == MOST_OPEN + 50


request = st.tuples(st.integers(100, 130), st.sampled_from("abc"), st.floats(0.1, 1e4))


@given(st.lists(st.lists(request, max_size=8), max_size=12), st.data())
def test_whatever_closes_when_every_request_is_in_exactly_one_second(
    batches: list[list[tuple[int, str, float]]], data: st.DataObject
) -> None:
    aggregator, seconds = Aggregator(), []
    for requests in batches:
        aggregator.add(batch_of(*requests))
        seconds += aggregator.closed(data.draw(st.floats(100, 140)))
    seconds += aggregator.closed(0.0, everything=True)
    assert sum(second.requests for second in seconds) == sum(map(len, batches))
    assert aggregator.totals().requests == sum(map(len, batches))
    moments = [second.at for second in seconds]
    assert moments == sorted(set(moments))


def test_a_cell_counts_answered_and_unanswered_requests() -> None:
    assert Cell([1.0, 2.0], errors=1, unanswered=1).count == 3


@pytest.mark.parametrize("told", [-(10**30), 1, 10**15, 10**30])
def test_a_time_that_a_script_made_up_is_one_of_the_run(told: int) -> None:
    aggregator, batch = Aggregator(shift_s=100, within=range(1000, 1010)), Batch()
    batch.add(told, Key(REQUESTS, "home"), 1.0)
    batch.users[told] = 3
    aggregator.add(batch)
    (second,) = aggregator.closed(2000)
    assert (second.at, second.requests, second.users) == (1000 if told < 1000 else 1009, 1, 3)


def test_a_script_that_makes_up_seconds_without_end_fills_no_history() -> None:
    aggregator, seen = Aggregator(within=range(1000, 1010)), 0
    for told in range(5000):
        batch = Batch()
        batch.add(told, Key(REQUESTS, "home"), 1.0)
        aggregator.add(batch)
        seen += len(aggregator.closed(1005))
    assert seen + len(aggregator.closed(0, everything=True)) <= 10
    assert aggregator.totals().requests == 5000


def test_a_script_keeps_no_seconds_open_that_are_still_to_come() -> None:
    aggregator, batch = Aggregator(within=range(1000, 5000)), Batch()
    aggregator.closed(1005)
    for told in range(1005, 3000):
        batch.add(told, Key(REQUESTS, "home"), 1.0)
    aggregator.add(batch)
    assert [second.at for second in aggregator.closed(0, everything=True)] == [*range(1005, 1016)]
