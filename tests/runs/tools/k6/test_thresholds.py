"""k6's own thresholds judged on merged seconds: never otherwise than k6 itself judges them."""

import json
import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.samples import Key, Kind, Second, Tally
from runs.samples.limits import OTHER
from runs.samples.sketch import Sketch
from runs.tools.k6.spans import Span, holds, quantile
from runs.tools.k6.thresholds import K6Judge
from tests.runs.tools.local import LocalRun, job_of, serve, tool_here

THRESHOLDS = {
    "http_req_duration": ["p(95)<5000", "max<0.001", "min>0", "avg<0.001", "med < 2e3"],
    "http_req_duration{name:home}": ["p(99.9)>=0.001", "max>5000"],
    "http_req_duration{name:nowhere}": ["max<5", "min>5"],
    "http_req_duration{status:500}": ["max<5000"],
    "http_req_duration{name:bad, status:500}": ["max<0.001"],
    "http_req_failed": ["rate>0.3", "rate<=0.1"],
    "http_req_failed{name:nowhere}": ["rate>0.9"],
    "http_reqs": ["count>1000000", "rate>0.1", "rate>10000"],
    "http_reqs{status:500}": ["count>0"],
    "checks": ["rate>0.99", "rate!=0.5"],
    "checks{check:is 200}": ["rate==1"],
    "checks{check:never}": ["rate<0"],
    "group_duration{group:::inside}": ["p(50)<5000"],
    "iterations": ["count>3"],
    "steps": ["med==1.5", "p(25)==1.25", "avg==1.5", "max===2", "min!=1"],
    "depths": ["min<0", "max<=0", "avg==-2"],
    "beans": ["count==6", "count!=6", "rate<100", "rate>0.01"],
    "never_trend": ["p(95)<500", "p(95)>500", "med==0"],
    "never_rate": ["rate<0.01", "rate>0.9"],
    "never_counter": ["count>5", "count==0", "rate<1"],
    "never_gauge": ["value>1", "value<1"],
    "level": ["value==2"],
    "http_reqs{scenario:a}": ["count>5"],
}
OPTIONS = {
    "scenarios": {"a": {"executor": "constant-vus", "vus": 2, "duration": "3s"}},
    "thresholds": THRESHOLDS,
}
SCRIPT = """
import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
export const options = OPTIONS;
const beans = new Counter('beans'), steps = new Trend('steps'), depths = new Trend('depths');
const level = new Gauge('level');
new Trend('never_trend'); new Rate('never_rate');
new Counter('never_counter'); new Gauge('never_gauge');
export function setup() {
  sleep(0.5); beans.add(6); steps.add(1); steps.add(2); depths.add(-1); depths.add(-3);
}
export default function () {
  group('inside', () => {
    const answer = http.get(`${__ENV.TARGET}/home`, { tags: { name: 'home' } });
    check(answer, { 'is 200': (it) => it.status === 200 });
  });
  http.get(`${__ENV.TARGET}/bad`, { tags: { name: 'bad' } });
  level.add(2);
  sleep(0.2);
}
export function teardown() { sleep(0.5); }
"""
NOT_JUDGED = {
    "checks{check:never} rate<0": "no check of that name was seen",
    "depths min<0": "too near to its limit to tell",
    "http_reqs{scenario:a} count>5": "samples of http_reqs are not kept apart by scenario",
    "level value==2": "what a gauge shows is one shard's and not the whole's",
    "never_rate rate>0.9": "it was never measured",
}


@pytest.mark.tool
def test_the_real_k6_says_the_same_of_a_script_that_runs_whole(tmp_path: Path) -> None:
    tool = tool_here("k6")
    script = SCRIPT.replace("OPTIONS", json.dumps(OPTIONS))
    with serve() as site:
        job = job_of(tool, script, tmp_path, target=site.url, seconds=120)
        with LocalRun(tool, job) as run:
            run.wait_until_ready()
            began = time.monotonic()
            run.go()
            code = run.read_to_end()
            took = time.monotonic() - began
    assert tool.explain(code, run.stderr).kind == "thresholds_crossed"
    said = {own.text: own.held for own in tool.own_verdicts(job)}
    asked = K6Judge(said)
    for second in run.aggregator.closed(0, everything=True):
        asked.see(second)
    kinds = run.aggregator.learned["kinds"]
    ours = {text: asked.judge(text, kinds, took) for text in said}
    assert len(said) == sum(map(len, THRESHOLDS.values()))
    differ = {text for text in said if ours[text].held not in {None, said[text]}}
    assert not differ
    unknown = {text: own.text for text, own in ours.items() if own.held is None}
    assert unknown == {text: f"{text} ({NOT_JUDGED[text]})" for text in unknown}
    assert unknown.keys() == NOT_JUDGED.keys()
    assert {False, True} == set(said.values())


def second_of(metric: str, *values: float, name: str = "", status: str = "", at: int = 1) -> Second:
    """With an iteration, which only load makes."""
    cells = {Key("iterations", ""): tally_of(1), Key(metric, name, status): tally_of(*values)}
    return Second(at, 0, 0, None, Sketch(), cells)


def tally_of(*values: float) -> Tally:
    tally = Tally(len(values), 0, sum(values))
    tally.sketch.add(values)
    return tally


def judge(
    text: str, *seconds: Second, longest_s: float = 60, kind: Kind = "trend"
) -> tuple[bool | None, str]:
    asked = K6Judge([text])
    for second in seconds:
        asked.see(second)
    own = asked.judge(text, {text.partition(" ")[0]: kind}, longest_s)
    return own.held, own.text.removeprefix(text)


@given(st.lists(st.floats(0.001, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_within_what_the_sketch_knows_of_it(
    values: list[float], q: float
) -> None:
    at, known = q * (len(values) - 1), sorted(values)
    below, above = known[math.floor(at)], known[math.ceil(at)]
    exact = below + (above - below) * (at - math.floor(at))
    low, high = quantile(tally_of(*values).sketch, q)
    assert low <= exact * (1 + 1e-12)
    assert high >= exact * (1 - 1e-12)
    assert high - low <= exact / 100


@pytest.mark.parametrize(
    ("how", "held"),
    [
        ("<4 <=3 >1 >=2 !=1 !=4", True),
        ("<2 <=1 >3 >=4 ==1 ===4", False),
        ("<2.5 <=2 <3 >2 >=3 ==2 ===2.5 !=3", None),
    ],
)
def test_a_value_between_two_and_three_is_judged_where_both_agree(
    how: str, held: bool | None
) -> None:
    for word in how.split():
        limit = word.lstrip("<>=!")
        assert holds(Span(2, 3), word.removesuffix(limit), float(limit)) is held, word


def test_shards_that_each_hold_a_threshold_may_cross_it_together() -> None:
    whole = [second_of("beans", 3), second_of("beans", 3)]
    assert judge("beans count<5", *whole, kind="counter") == (False, "")


@pytest.mark.parametrize(("limit", "held"), [(8, True), (16, None), (25, False)])
def test_a_rate_is_judged_where_the_length_of_the_test_is_known_well_enough(
    limit: int, held: bool | None
) -> None:
    """100 in at least 4 and at most 10 seconds are 10 to 25 a second."""
    whole = [second_of("beans", 50, at=1), second_of("beans", 50, at=6)]
    assert judge(f"beans rate>{limit}", *whole, longest_s=10, kind="counter")[0] is held


def test_one_second_of_load_has_no_highest_rate() -> None:
    assert judge("beans rate<9", second_of("beans", 1), kind="counter")[0] is None


@pytest.mark.parametrize(
    ("text", "second", "why"),
    [
        ("steps p(75)<10", second_of("steps", 1, 10.01, 9.99, 20, 9.99), "too near"),
        ("steps{vip:yes} max<5", second_of("steps", 1), "steps are not kept apart by vip"),
        ("steps{name:a} max<5", second_of("steps", 1, name="a"), "not kept apart by name"),
        ("http_reqs{name:/rsvp} count>5", second_of("http_reqs", 1), "the name is not kept as"),
        ("http_reqs{name:a} count>5", second_of("http_reqs", 1, name=OTHER), "too many of a name"),
        ("http_reqs{status:404} count>5", second_of("http_reqs", 1, status=OTHER), "of a status"),
        ("steps max<5", second_of(OTHER, 1), "too many metrics"),
        ("steps max less than 5", second_of("steps", 1), "only k6 understands"),
        ("steps max<1e", second_of("steps", 1), "only k6 understands"),
    ],
)
def test_what_cannot_be_known_is_not_judged_and_says_why(
    text: str, second: Second, why: str
) -> None:
    held, said = judge(text, second)
    assert held is None
    assert said.startswith(" (")
    assert why in said


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("http_reqs{name:rsvp} count==1", True),
        ("http_reqs{name:rsvp,status:200} count==1", True),
        ("http_reqs{name: 'rsvp', status: \"500\"} count==0", True),
        ("http_reqs{status:200} count>1", False),
        ("http_reqs{} count==1", True),
    ],
)
def test_a_name_and_a_status_are_kept_apart(text: str, held: bool) -> None:
    assert judge(text, second_of("http_reqs", 1, name="rsvp", status="200"))[0] is held
