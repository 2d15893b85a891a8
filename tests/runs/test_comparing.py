import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.past.comparing import Comparison, Difference, Measured, Side, compare, noise
from runs.past.comparing.sides import shorten
from runs.samples.sketch import Sketch


def sketch(values: list[float]) -> Sketch:
    made = Sketch()
    made.add(values)
    return made


def measured(values: list[float], *, errors: int = 0, seconds: int = 60) -> Measured:
    return Measured(len(values), errors, seconds, sketch(values))


def around(ms: float, count: int = 6000, seed: int = 1) -> list[float]:
    return [random.Random(seed + n).lognormvariate(0, 0.3) * ms for n in range(count)]


def side(run: str = "1", **words: object) -> Side:
    usual = Side(
        id=run,
        name="guest rush",
        state="passed",
        tool="k6",
        tool_version="1.8.1",
        latency_kind="k6 http_req_duration",
        target="http://127.0.0.1:9000",
        plan="3",
        users=20,
        shards=1,
        duration=timedelta(minutes=1),
        script="export default () => {}",
        inputs={"files": {}},
        started_at="2026-06-09T08:00:00+00:00",
        totals=measured(around(100)),
        endpoints={},
    )
    return replace(usual, **words)  # type: ignore[arg-type]


def found(comparison: Comparison, figure: str) -> Difference:
    return next(one for one in comparison.totals if one.figure == figure)


def test_the_same_test_run_twice_differs_by_noise_only() -> None:
    again = compare(side("1"), side("2", totals=measured(around(100, seed=99_999))))
    assert {one.judgement for one in again.totals} == {"within noise"}
    assert again.summary == "Run 2 against run 1: no difference beyond noise."
    assert again.is_worse is None
    assert again.cautions == ()


def test_a_slower_run_is_told_in_milliseconds_and_per_cent() -> None:
    slower = compare(side("1"), side("2", totals=measured([1.3 * ms for ms in around(100)])))
    p95 = found(slower, "p95")
    assert p95.judgement == "slower"
    assert p95.before is not None
    assert p95.percent == pytest.approx(30, abs=1)
    assert p95.absolute == pytest.approx(0.3 * p95.before, rel=0.05)
    assert slower.is_worse is True
    assert slower.summary == (
        "Run 2 against run 1: p50 30 % slower, p95 30 % slower, p99 30 % slower."
    )


def test_a_faster_run_is_better() -> None:
    faster = compare(side("1"), side("2", totals=measured(around(60))))
    assert [found(faster, name).judgement for name in ("p50", "p95", "p99")] == ["faster"] * 3
    assert faster.is_worse is False


def test_a_step_under_five_per_cent_is_noise_however_many_requests_there_were() -> None:
    many = around(100, count=60_000)
    nearly = compare(
        side("1", totals=measured(many)), side("2", totals=measured([1.04 * ms for ms in many]))
    )
    assert found(nearly, "p50").judgement == "within noise"


def test_a_step_under_a_millisecond_is_noise() -> None:
    quick = compare(
        side("1", totals=measured(around(0.4))), side("2", totals=measured(around(0.8)))
    )
    assert found(quick, "p50").judgement == "within noise"


def test_few_requests_prove_little() -> None:
    few = compare(
        side("1", totals=measured(around(100, count=30))),
        side("2", totals=measured(around(115, count=30))),
    )
    assert [found(few, name).judgement for name in ("p50", "p95", "p99")] == [
        *("within noise", "too few requests", "too few requests")
    ]
    assert few.summary == (
        "Run 2 against run 1: no difference of p50, errors, requests/s beyond noise; "
        "too few requests to compare p95, p99."
    )
    assert "Run 1 got only 30 answers; a p95 takes 200 to be compared." in few.cautions


@pytest.mark.parametrize(("figure", "least"), [("p50", 20), ("p95", 200), ("p99", 1000)])
def test_a_percentile_is_judged_from_ten_answers_beyond_it_on(figure: str, least: int) -> None:
    enough, many = measured(around(100, count=least)), measured(around(500, count=least))
    assert found(compare(side(totals=enough), side(totals=many)), figure).judgement == "slower"
    one_less = compare(side(totals=enough), side(totals=measured(around(500, count=least - 1))))
    assert found(one_less, figure).judgement == "too few requests"


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        ("passed", "Better"),
        ("failed", "Not better: run 2 failed"),
        ("aborted", "Not better: run 2 was aborted"),
        ("errored", "Not better: run 2 ended in an error"),
        ("lost", "Not better: run 2 was lost"),
        ("running", "Not better: run 2 is not over"),
    ],
)
def test_only_a_run_that_passed_is_better(state: str, headline: str) -> None:
    faster = compare(side("1"), side("2", state=state, totals=measured(around(60))))
    assert faster.headline == headline
    assert faster.is_worse is (False if state == "passed" else None)


def test_a_slower_run_is_worse_however_it_ended() -> None:
    slower = compare(side("1"), side("2", state="aborted", totals=measured(around(130))))
    assert (slower.headline, slower.is_worse) == ("Worse", True)


def test_a_handful_of_requests_makes_no_run_better() -> None:
    before = measured(around(100), errors=3000)
    after = side("2", script="// another", totals=measured(around(10, count=19)))
    few = compare(side("1", totals=before), after)
    assert found(few, "errors").judgement == "fewer errors"
    assert (few.headline, few.is_worse) == ("Too few requests to compare", None)


def test_the_same_rate_in_a_second_less_is_no_difference() -> None:
    """From any moment on, eight seconds of requests touch eight or nine seconds of a clock."""
    eight, nine = (measured(around(100, count=8000), seconds=seconds) for seconds in (8, 9))
    again = compare(side("1", totals=eight), side("2", totals=nine))
    assert found(again, "rps").judgement == "within noise"


def test_errors_differ_by_points() -> None:
    values = around(100)
    worse = compare(side("1"), side("2", totals=measured(values, errors=300)))
    errors = found(worse, "errors")
    assert (errors.before, errors.after, errors.absolute) == (0.0, 5.0, 5.0)
    assert (errors.judgement, errors.percent) == ("more errors", None)
    assert "5 points more errors" in worse.summary
    better = compare(side("2", totals=measured(values, errors=300)), side("1"))
    assert found(better, "errors").judgement == "fewer errors"


def test_one_error_more_is_noise() -> None:
    one_more = compare(side("1"), side("2", totals=measured(around(100), errors=1)))
    assert found(one_more, "errors").judgement == "within noise"


def test_fewer_requests_a_second_are_worse() -> None:
    fewer = compare(side("1"), side("2", totals=measured(around(100, count=4000))))
    assert (found(fewer, "rps").before, found(fewer, "rps").after) == (100.0, 66.667)
    assert found(fewer, "rps").judgement == "fewer"
    assert "33 % fewer requests/s" in fewer.summary


@pytest.mark.parametrize("other", [{"script": "another"}, {"tool": "artillery"}])
def test_the_rates_of_different_scripts_are_shown_and_not_judged(other: dict[str, str]) -> None:
    fewer = compare(side("1"), side("2", totals=measured(around(100, count=4000)), **other))
    assert (found(fewer, "rps").before, found(fewer, "rps").after) == (100.0, 66.667)
    assert found(fewer, "rps").judgement == "not comparable"


def test_a_run_without_requests_has_nothing_to_compare() -> None:
    nothing = compare(side("1"), side("2", state="errored", totals=measured([], seconds=0)))
    assert {one.judgement for one in nothing.totals} == {"no data"}
    assert found(nothing, "p95").absolute is None
    assert nothing.headline == "Nothing to compare"
    assert nothing.summary == "Run 2 against run 1: there is nothing to compare."


def test_times_of_tools_that_measure_different_things_are_shown_and_not_judged() -> None:
    kind = "artillery http.response_time: to the first byte"
    mixed = compare(
        side("1"),
        side(
            "2",
            tool="artillery",
            tool_version="2.0.34",
            latency_kind=kind,
            totals=measured(around(300), errors=600),
        ),
    )
    p95 = found(mixed, "p95")
    assert p95.judgement == "not comparable"
    assert p95.after is not None
    assert p95.is_worse is None
    assert found(mixed, "errors").judgement == "more errors"
    assert mixed.cautions[0] == (
        "The tools time different things, so response times are shown and not judged. "
        f"Run 1: k6 http_req_duration. Run 2: {kind}."
    )
    assert mixed.cautions[1] == (
        "The tools differ, k6 1.8.1 and artillery 2.0.34: their scripts make different requests, "
        "so the requests a second are shown and not judged."
    )


def test_tools_that_never_said_what_they_time_are_not_taken_for_alike() -> None:
    one, other = (side(tool, tool=tool, latency_kind="") for tool in ("k6", "locust"))
    assert found(compare(one, other), "p95").judgement == "not comparable"
    assert "Run k6: k6, unknown. Run locust: locust, unknown." in compare(one, other).cautions[0]


def test_of_two_tools_the_headline_is_no_verdict_and_the_summary_says_why() -> None:
    two = compare(side("1"), side("2", tool="locust", latency_kind="locust", script="# another"))
    assert (two.headline, two.is_worse) == ("Hardly comparable", None)
    assert two.summary == (
        "Run 2 against run 1: no difference of errors beyond noise; "
        "p50, p95, p99, requests/s not comparable."
    )
    assert "The script was changed between them." not in two.cautions


def test_a_per_cent_is_rounded_once_for_the_summary_and_the_table() -> None:
    slower = compare(side("1"), side("2", totals=measured([1.3 * ms for ms in around(100)])))
    percent = found(slower, "p95").percent
    assert percent is not None
    assert percent == round(percent)
    assert f"p95 {percent:g} % slower" in slower.summary


@pytest.mark.parametrize("words", [{"users": 40}, {"inputs": {"variables": {"USERS": "40"}}}])
def test_who_was_asked_for_more_is_not_better_for_making_more(words: dict[str, object]) -> None:
    twice = measured(around(100, count=2000), seconds=60)
    more = compare(side("1"), side("2", totals=twice, **words))
    assert found(more, "rps").judgement == "not comparable"
    assert more.is_worse is None


@pytest.mark.parametrize(
    ("words", "caution"),
    [
        ({"tool_version": "2.2.0"}, "The tool changed: k6 1.8.1 then, k6 2.2.0 now."),
        ({"users": None}, "The number of users differs: 20 and as many as the script says."),
        ({"shards": 2}, "They ran on 1 and 2 workers."),
        ({"duration": timedelta(minutes=2)}, "Their declared durations differ: 1 min and 2 min."),
        (
            {"target": "http://127.0.0.1:9001"},
            "They loaded different addresses: http://127.0.0.1:9000 and http://127.0.0.1:9001.",
        ),
        ({"plan": None}, "They are not of the same plan."),
        ({"script": "// another"}, "The script was changed between them."),
        (
            {"inputs": {"files": {"guests.csv": "Ada"}}},
            "What the script reads (files, variables, hosts) was changed between them.",
        ),
        ({"state": "aborted"}, "Run 2 was aborted: it holds only what was measured until then."),
        (
            {"state": "errored"},
            "Run 2 ended in an error: it holds only what was measured until then.",
        ),
        ({"state": "running"}, "Run 2 is not over (running): its figures still change."),
        (
            {"totals": measured(around(100, count=1000), seconds=10)},
            "They were measured within 1 min and 10 s.",
        ),
        (
            {"endpoints": None},
            "Run 2 was kept before endpoints had histograms of their own, "
            "so only the whole runs are compared.",
        ),
    ],
)
def test_what_makes_two_runs_hard_to_compare_is_said(
    words: dict[str, object], caution: str
) -> None:
    assert caution in compare(side("1"), side("2", **words)).cautions


def test_endpoints_are_compared_each_with_its_own_the_busiest_first() -> None:
    before = {"rsvp": measured(around(200, 500)), "home": measured(around(50))}
    after = {"home": measured(around(50)), "rsvp": measured(around(300, 500))}
    rows = compare(side("1", endpoints=before), side("2", endpoints=after)).endpoints
    assert [row.name for row in rows] == ["home", "rsvp"]
    judged = {row.name: {one.figure: one.judgement for one in row.differences} for row in rows}
    assert (judged["home"]["p95"], judged["rsvp"]["p95"]) == ("within noise", "slower")


def test_an_endpoint_that_only_one_run_has_is_named_and_stands_last() -> None:
    before = {"old": measured(around(50)), "home": measured(around(50, 10))}
    after = {"home": measured(around(50, 10)), "photos": measured(around(70))}
    rows = compare(side("1", endpoints=before), side("2", endpoints=after)).endpoints
    assert [(row.name, row.only_in) for row in rows] == [
        ("home", None),
        ("old", "1"),
        ("photos", "2"),
    ]
    assert {one.judgement for one in rows[1].differences} == {"no data"}
    assert rows[1].requests == (6000, 0)


def test_the_address_of_a_target_is_no_part_of_an_endpoints_name() -> None:
    one = side("1", endpoints={"GET http://127.0.0.1:9000/a": measured(around(50))})
    other = side(
        "2",
        target="http://127.0.0.1:9001/",
        endpoints={"GET http://127.0.0.1:9001/a": measured(around(50))},
    )
    assert [(row.name, row.only_in) for row in compare(one, other).endpoints] == [("GET /a", None)]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("http://site:9000", "/"),
        ("http://site:9000?a=1", "/?a=1"),
        ("http://site:90001/a", "http://site:90001/a"),
        ("checkout", "checkout"),
    ],
)
def test_names_are_shortened_by_their_own_target_only(name: str, short: str) -> None:
    assert shorten(name, "http://site:9000") == short


def test_a_comparison_is_json_all_through() -> None:
    words = compare(side("1"), side("2", endpoints={"home": measured([5.0])})).as_json()
    assert [run["id"] for run in words["runs"]] == ["1", "2"]
    assert words["totals"][1]["figure"] == "p95"
    assert words["endpoints"][0]["only_in"] == "2"
    assert "99 times of 100" in words["rule"]


@given(st.lists(st.floats(min_value=0.1, max_value=1e4), min_size=1, max_size=200))
def test_the_range_of_a_quantile_holds_the_quantile(values: list[float]) -> None:
    for q in (0.5, 0.95, 0.99):
        estimate = noise.quantile(sketch(values), q)
        assert estimate is not None
        assert estimate.low <= estimate.value <= estimate.high


@given(st.integers(min_value=1, max_value=10**6), st.data())
def test_the_range_of_a_share_holds_it_and_stays_a_share(of: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(min_value=0, max_value=of))
    estimate = noise.share(hits, of)
    assert estimate is not None
    assert -1e-9 <= estimate.low <= estimate.value + 1e-9
    assert estimate.value - 1e-9 <= estimate.high <= 100 + 1e-9


@pytest.mark.bulk
def test_of_a_hundred_repeated_runs_next_to_none_is_called_different() -> None:
    dice = random.Random(7)
    alarms = 0
    for _ in range(100):
        one, other = ([dice.lognormvariate(4, 0.5) for _ in range(400)] for _ in range(2))
        again = compare(side("1", totals=measured(one)), side("2", totals=measured(other)))
        alarms += again.is_worse is not None
    assert alarms <= 1
