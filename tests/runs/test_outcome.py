from dataclasses import replace

import pytest

from runs.outcome import Stop, check_own, decide
from runs.samples import Totals
from runs.samples.sketch import Sketch
from runs.thresholds import Check
from runs.tools import Ending, OwnVerdict

FINISHED = Ending("finished", "k6 finished.")
CROSSED = Ending("thresholds_crossed", "Thresholds on metrics 'checks' have been crossed.")
BROKEN = Check("p95 > 1s", "2 s", False, "p95 was 2 s, limit 1 s")
SILENT = Check("p95 > 1s", "no data", None, "p95 could not be judged: there is no data")
TOTALS = Totals(requests=10, errors=0, users=1, seconds=1, sketch=Sketch())


def own(held: bool | None) -> tuple[Check, ...]:
    return (check_own("k6", OwnVerdict("checks rate>0.9", held)),)


@pytest.mark.parametrize(
    ("checks", "held", "ending", "said"),
    [
        ((), True, FINISHED, "passed: 10 requests."),
        ((), None, FINISHED, "passed: 10 requests."),
        ((BROKEN,), True, FINISHED, "failed: p95 was 2 s, limit 1 s."),
        ((SILENT,), True, FINISHED, "failed: p95 could not be judged: there is no data."),
        (
            (),
            False,
            CROSSED,
            "failed: the script's own checks rate>0.9 was crossed.",
        ),
        (
            (BROKEN,),
            False,
            CROSSED,
            "failed: p95 was 2 s, limit 1 s; the script's own checks rate>0.9 was crossed.",
        ),
        ((), None, CROSSED, "failed: Thresholds on metrics 'checks' have been crossed."),
    ],
)
def test_our_thresholds_and_the_scripts_own_decide_together(
    checks: tuple[Check, ...], held: bool | None, ending: Ending, said: str
) -> None:
    outcome = decide(stop=None, ending=ending, totals=TOTALS, checks=checks, own=own(held))
    assert f"{outcome.outcome}: {outcome.reason}" == said
    assert [check["text"] for check in outcome.as_json()["checks"]][-1] == "k6: checks rate>0.9"


def test_a_pass_names_what_failed_and_no_answer_at_all_is_none() -> None:
    some = decide(stop=None, ending=FINISHED, totals=replace(TOTALS, errors=3), checks=())
    assert (some.outcome, some.reason) == ("passed", "10 requests, 3 of them failed.")
    none = decide(stop=None, ending=FINISHED, totals=replace(TOTALS, requests=0), checks=())
    assert none.outcome == "failed"
    assert "asks for nothing, or the target takes connections and never answers" in none.reason


@pytest.mark.parametrize(("said", "held"), [(True, None), (None, None), (False, False)])
def test_without_a_request_no_threshold_of_the_script_held(
    said: bool | None, held: bool | None
) -> None:
    totals, stop = replace(TOTALS, requests=0), Stop("Stopped by ada.")
    outcome = decide(stop=stop, ending=FINISHED, totals=totals, checks=(), own=own(said))
    assert [check.held for check in outcome.checks] == [held]


def test_no_threshold_held_where_the_tools_end_says_that_one_was_crossed() -> None:
    outcome = decide(stop=None, ending=CROSSED, totals=TOTALS, checks=(), own=own(True))
    assert outcome.outcome == "failed"
    assert [(check.measured, check.held) for check in outcome.checks] == [("no data", None)]


def test_a_threshold_held_where_the_script_itself_says_that_the_test_failed() -> None:
    ending = Ending("marked_failed", "The script marked the test as failed.")
    outcome = decide(stop=None, ending=ending, totals=TOTALS, checks=(), own=own(True))
    assert (outcome.outcome, outcome.reason) == ("failed", ending.sentence)
    assert [check.held for check in outcome.checks] == [True]


@pytest.mark.parametrize("kind", ["aborted", "errored", "failed"])
def test_why_we_stopped_goes_before_everything_else(kind: str) -> None:
    stop = Stop("We had a reason.", kind)
    outcome = decide(stop=stop, ending=CROSSED, totals=TOTALS, checks=(BROKEN,), own=own(False))
    assert (outcome.outcome, outcome.reason) == (kind, "We had a reason.")
    assert [check.held for check in outcome.checks] == [False, False]
