from runs.samples import REQUESTS, Batch, Cell, Key
from runs.samples.aggregator import Aggregator
from runs.samples.limits import MOST_KEYS, MOST_METRICS, MOST_NAMES, MOST_STATUSES, OTHER, Limits


def fitted(*keys: Key) -> list[Key]:
    limits = Limits()
    return [limits.fit(key) for key in keys]


def test_a_key_within_the_limits_stays_as_it_is() -> None:
    keys = [Key("checks", "is 200"), Key(REQUESTS, "home", "200"), Key("checks", "is 200")]
    assert fitted(*keys) == keys


def test_each_metric_has_names_of_its_own() -> None:
    checks = [Key("checks", f"check {number}") for number in range(MOST_NAMES + 2)]
    *kept, one_more, another = fitted(*checks)
    assert kept == checks[:MOST_NAMES]
    assert one_more == another == Key("checks", OTHER)
    assert fitted(*checks, Key("vus", "new"))[-1] == Key("vus", "new")


def test_each_name_has_statuses_of_its_own() -> None:
    keys = [Key(REQUESTS, "home", str(number)) for number in range(MOST_STATUSES + 1)]
    *kept, one_more, elsewhere = fitted(*keys, Key(REQUESTS, "rsvp", "12"))
    assert kept == keys[:MOST_STATUSES]
    assert one_more == Key(REQUESTS, "home", OTHER)
    assert elsewhere == Key(REQUESTS, "rsvp", "12")


def test_metrics_over_the_limit_are_collected_but_never_the_requests() -> None:
    keys = [Key(f"metric {number}", "") for number in range(MOST_METRICS + 1)]
    *_, one_more, request = fitted(*keys, Key(REQUESTS, "home"))
    assert one_more == Key(OTHER, "")
    assert request == Key(REQUESTS, "home")


def test_a_tool_that_invents_everything_is_held_in_a_bounded_number_of_keys() -> None:
    limits = Limits()
    found = {
        limits.fit(Key(f"metric {number % 150}", f"name {number % 7919}", str(number % 31)))
        for number in range(100_000)
    }
    assert len(found) <= MOST_KEYS + MOST_METRICS + 1
    assert limits.fit(Key(REQUESTS, "home", "200")) == Key(REQUESTS, "home", "200")


def test_what_is_over_a_limit_loses_its_name_but_no_sample() -> None:
    aggregator = Aggregator()
    for number in range(3000):
        key = Key(f"metric {number % 200}", f"name {number}", str(number))
        aggregator.add(Batch({(7, key): Cell([1.0, 3.0])}, kinds={key.metric: "counter"}))
    metrics = aggregator.metrics()
    assert len(metrics) == MOST_METRICS + 1
    assert sum(metric.count for metric in metrics) == 6000
    assert {metric.kind for metric in metrics if metric.name != OTHER} == {"counter"}
    (second,) = aggregator.closed(99.0)
    assert sum(tally.total for tally in second.cells.values()) == 12_000
