from datetime import timedelta

import pytest

from runs.tools import Job, ToolProblem
from runs.tools.artillery import Artillery
from tests.runs.tools.artillery.planning import PLAN, Planning, planned


def test_a_script_is_prepared_with_what_its_phases_come_to(artillery: Artillery, job: Job) -> None:
    prepared = artillery.prepare(job, Planning(PLAN))
    assert (prepared.version, prepared.nominal) == ("2.0.34", timedelta(seconds=10))
    assert (prepared.peak_users, prepared.peak_rate) == (5, 2.0)
    assert (prepared.hosts, prepared.warnings) == (("site.example",), ())
    assert not prepared.is_bounded


@pytest.mark.parametrize(
    ("phases", "seconds"),
    [
        ([{"duration": 60, "arrivalRate": 1}], 60),
        ([{"duration": "90", "arrivalRate": 1}], 90),
        ([{"duration": "10m", "arrivalRate": 1}, {"pause": "1m"}], 660),
        ([{"duration": "1.5 hours", "arrivalCount": 3}], 5400),
        ([{"duration": "500ms", "arrivalCount": 3}], 0.5),
        ([{"duration": "2 minutes", "arrivalRate": 0, "rampTo": 9}], 120),
        ([], 0),
    ],
)
def test_phases_last_as_long_as_artillery_reads_them(
    phases: list[dict[str, object]], seconds: float
) -> None:
    assert planned(*phases).nominal == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("phase", "rate", "users"),
    [
        ({"duration": 10, "arrivalRate": 5}, 5, None),
        ({"duration": 10, "arrivalRate": 5, "rampTo": 50, "maxVusers": 200}, 50, 200),
        ({"duration": 10, "arrivalRate": "5", "maxVusers": "7"}, 5, 7),
        ({"duration": 10, "arrivalCount": 40}, 4, 40),
        ({"pause": 10}, 0, 0),
        ({"duration": 10, "arrivalRate": 0}, 0, 0),
    ],
)
def test_the_peak_is_what_a_phase_allows(
    phase: dict[str, object], rate: float, users: int | None
) -> None:
    assert (planned(phase).peak_rate, planned(phase).peak_users) == (rate, users)


def test_users_of_one_phase_are_still_there_in_the_next() -> None:
    counted = {"duration": 5, "arrivalCount": 10}
    assert (
        planned(counted, counted, {"duration": 5, "arrivalRate": 9, "maxVusers": 4}).peak_users
        == 24
    )


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ({"duration": "soon", "arrivalRate": 1}, "“soon” is no duration"),
        ({"duration": 60, "arrivalRate": 0.5}, "whole numbers.*0.5; arrivalCount: 30"),
        ({"duration": 60, "arrivalRate": 2.5, "rampTo": 0}, "whole numbers as arrivalRate.*2.5"),
        ({"duration": 60, "arrivalRate": 2, "maxVusers": 2.5}, "whole numbers as maxVusers.*2.5"),
        ({"duration": 0, "arrivalCount": 5}, "“0” is no duration"),
        ({"duration": 5, "arrivalRate": "many"}, "phase 1, arrivalRate is “many”, but it takes a"),
        ({"duration": 5, "arrivalRate": 1, "rampTo": -2}, "rampTo is “-2”, but it takes a number"),
        ({"duration": 5, "arrivalCount": "inf"}, "arrivalCount is “inf”, but it takes a number"),
        ({"duration": 5, "arrivalRate": 1, "maxVusers": "", "name": "rush"}, "“rush”.*maxVusers"),
        ({"duration": -3, "arrivalRate": 1}, "“-3” is no duration"),
        ({"duration": 1e30, "arrivalRate": 1}, "is no duration"),
        ({"duration": 1.5, "arrivalRate": 1}, "has a fraction and no unit: write “1.5s”"),
        ({"pause": "-3s"}, "“-3s” is no duration"),
        ({"arrivalRate": 1}, "neither a duration nor a pause"),
        ({"arrivalRate": [1]}, "make no sense"),
    ],
)
def test_phases_that_artillery_cannot_run_are_refused(phase: dict[str, object], words: str) -> None:
    with pytest.raises(ToolProblem, match=words) as caught:
        planned(phase)
    assert caught.value.code == "script_invalid"


def test_phases_longer_than_declared_are_refused(artillery: Artillery, job: Job) -> None:
    plan = PLAN | {"phases": [{"duration": "10m", "arrivalRate": 1}]}
    with pytest.raises(ToolProblem, match="phases take PT10M but the run declares PT1M") as caught:
        artillery.prepare(job, Planning(plan))
    assert caught.value.code == "plan_too_long"
