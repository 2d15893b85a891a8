"""Thresholds in a run: what they stop, what is kept of them, and how soon the verdict stands."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from runs import engine, services
from runs.host import living
from runs.models import Run
from tests.runs.driving import begin, in_background
from tests.waiting import until

pytestmark = [
    pytest.mark.paced,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6"),
]
# The stand-in for k6 answers within 10 to 19 ms, 50 times a second.
SLOW, NEVER = "p95 of home > 5ms for 2s", "p95 > 5s for 1s"


def drive(engineer: User, *thresholds: str, mode: str = "steady", seconds: float = 4) -> Run:
    run = begin(engineer, mode, seconds, thresholds=list(thresholds))
    engine.execute(run.pk)
    run.refresh_from_db()
    return run


def reason(run: Run) -> str:
    assert run.verdict is not None
    return str(run.verdict["reason"])


def checks(run: Run) -> dict[str, bool | None]:
    assert run.verdict is not None
    return {check["text"]: check["held"] for check in run.verdict["checks"]}


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        (["errors > 1%", "p95 faster"], "In “p95 faster”, character 5: Expected one of"),
        (["errors > 1%"] * 51, "at most 50 thresholds"),
    ],
)
def test_what_nobody_can_judge_is_refused_before_anything_starts(
    engineer: User, thresholds: list[str], said: str
) -> None:
    with pytest.raises(services.Invalid, match=said) as caught:
        drive(engineer, *thresholds)
    assert caught.value.field == "thresholds"
    assert not Run.objects.exists()


def test_a_threshold_stops_the_run_as_failed(engineer: User) -> None:
    text = f"wedding-critical feature rsvp: {SLOW}, stop as failed"
    run = drive(engineer, text, NEVER, seconds=25)
    assert run.state == "failed"
    assert reason(run).startswith(
        "Stopped as failed: p95 of home stayed above 5 ms for 2 s, at last 1"
    )
    assert run.processes_left == 0
    assert checks(run) == {text: False, NEVER: True}
    assert run.started_at is not None
    assert run.ended_at is not None
    assert (run.ended_at - run.started_at).total_seconds() < 8
    (breach,) = run.breaches
    assert breach["threshold"] == text
    assert (breach["critical"], breach["feature"], breach["stops"]) == (True, "rsvp", True)
    assert breach["first"] == breach["last"]
    assert breach["first"]["at"].startswith("2026-06-09T08:0")


def test_a_threshold_that_goes_on_fails_the_run_at_its_end(engineer: User) -> None:
    run = drive(engineer, SLOW, "requests of home < 5 for 1s")
    assert run.state == "failed"
    assert reason(run).startswith("p95 of home stayed above 5 ms for 2 s, at last 1")
    assert run.totals is not None
    assert run.totals["requests"] > 150
    assert [breach["count"] for breach in run.breaches] == [1]


def test_a_run_that_is_too_short_for_its_threshold_proves_nothing(engineer: User) -> None:
    run = drive(engineer, "p95 > 5s for 30s", seconds=1)
    assert run.state == "failed"
    assert "of the 30 s that it needs, and no data is not a pass" in reason(run)
    assert run.breaches == []


def test_closed_seconds_tell_how_near_each_threshold_is(engineer: User) -> None:
    run = drive(engineer, SLOW)
    seconds = services.metrics(run_id=str(run.pk))
    said = [word["said"] for second in seconds for word in second["thresholds"]]
    assert said[:3] == ["1 of 2 s", "2 of 2 s", "2 of 2 s"]
    told = [second["breaches"] for second in seconds if "breaches" in second]
    assert len(told) == 1
    assert told[0][0].startswith("p95 of home stayed above 5 ms for 2 s")


def test_the_scripts_own_thresholds_are_checks_and_name_themselves(engineer: User) -> None:
    run = drive(engineer, "errors > 1%", mode="crossed", seconds=1)
    assert checks(run) == {
        "errors > 1%": True,
        "k6: http_req_duration p(95)<500": True,
        "k6: http_req_duration max<15": False,
    }
    assert run.exit_code == 99
    assert (run.state, reason(run)) == (
        "failed",
        "the script's own http_req_duration max<15 was crossed.",
    )


@pytest.mark.parametrize("is_valkey_away", [False, True])
def test_the_verdict_stands_soon_after_the_tools_end_whoever_is_away(
    engineer: User, settings: Any, is_valkey_away: bool
) -> None:
    if is_valkey_away:
        settings.WEDSYNC_VALKEY_URL = "redis://127.0.0.1:9/0"
    run = begin(engineer, seconds=2, thresholds=[NEVER])
    thread = in_background(run)
    runs = Run.objects.filter(pk=run.pk)
    until(lambda: runs.get().started_at is not None, within=10, what="the start")
    group = runs.get().process_group
    assert group is not None
    until(lambda: not living.members(group), within=10, what="the tool's end")
    until(lambda: runs.get().state == "passed", within=10, what="the verdict")
    thread.join(10)
