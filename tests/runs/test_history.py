from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User

import clock
from audit import services as audit
from runs import engine, report, services
from runs.finding import UnknownRun
from runs.models import Plan, Run, Snapshot
from runs.past import history, keeping, notes, rollup
from runs.request import Invalid
from runs.samples import REQUESTS, Batch, Key
from runs.samples.aggregator import Aggregator
from tests.runs.conftest import request_for
from tests.runs.seconds import FULL_MINUTE, Measured, keep, past_run, spans_of, steady

pytestmark = pytest.mark.django_db

LATER = FULL_MINUTE + timedelta(hours=1)
AddRun = Callable[..., Run]


@pytest.fixture
def add_run(engineer: User) -> AddRun:
    return partial(past_run, engineer)


@pytest.fixture
def plan(engineer: User) -> Plan:
    return Plan.objects.create(
        name="nightly rush",
        tool="k6",
        script="export default () => {}",
        target="http://127.0.0.1:9",
        duration=timedelta(minutes=5),
        created_by=engineer,
        created_at=FULL_MINUTE,
    )


@pytest.fixture
def add_measured(add_run: AddRun) -> AddRun:
    """A run with its seconds, and the totals that its worker would have written."""

    def add(measured: Measured, **words: Any) -> Run:
        values = [value for second in measured.values() for value in second]
        aggregator, batch = Aggregator(), Batch()
        for at, found in measured.items():
            for name, latency in found:
                batch.add(at, Key(REQUESTS, name), latency, failed=latency is None)
        aggregator.add(batch)
        assert aggregator.totals().requests == len(values)
        run = add_run(totals=report.totals(aggregator.totals()), **words)
        keep(run, spans_of(measured))
        return run

    return add


def judged(comparison: services.Comparison) -> dict[str, str]:
    return {one.figure: one.judgement for one in comparison.totals}


def test_two_runs_are_compared_by_their_kept_seconds(add_measured: AddRun, plan: Plan) -> None:
    before = add_measured(steady(50, 100.0), plan=plan)
    after = add_measured(steady(50, 160.0), plan=plan)
    comparison = history.compare(run_ids=[str(before.pk), str(after.pk)])
    assert judged(comparison) == {
        "p50": "slower",
        "p95": "slower",
        "p99": "slower",
        "errors": "within noise",
        "rps": "within noise",
    }
    (home,) = comparison.endpoints
    assert (home.name, home.requests) == ("home", (1000, 1000))
    assert comparison.cautions == ()


def test_a_comparison_says_the_same_once_the_seconds_are_forgotten(add_measured: AddRun) -> None:
    ids = [str(add_measured(steady(75, ms)).pk) for ms in (100.0, 120.0)]
    before = history.compare(run_ids=ids).as_json()
    keeping.roll_up(now=LATER)
    keeping.forget(now=LATER + timedelta(days=100), keep={1: timedelta(7), 10: timedelta(90)})
    assert set(Snapshot.objects.values_list("width", flat=True)) == {60}
    assert history.compare(run_ids=ids).as_json() == before


def test_a_run_of_before_cells_were_kept_is_compared_as_a_whole(add_measured: AddRun) -> None:
    old, new = add_measured(steady(10, 100.0)), add_measured(steady(10, 100.0))
    Snapshot.objects.filter(run=old).update(cells=b"")
    comparison = history.compare(run_ids=[str(old.pk), str(new.pk)])
    assert comparison.endpoints == ()
    assert judged(comparison)["p95"] == "within noise"
    assert any(f"Run {old.pk} was kept before endpoints" in text for text in comparison.cautions)


@pytest.mark.parametrize("ids", [[], ["1"], ["1", "1"], ["1", "2", "3"]])
def test_exactly_two_different_runs_are_compared(ids: list[str]) -> None:
    with pytest.raises(Invalid, match="Name two different runs"):
        history.compare(run_ids=ids)


def test_a_run_that_does_not_exist_cannot_be_compared(add_run: AddRun) -> None:
    with pytest.raises(UnknownRun):
        history.compare(run_ids=[str(add_run().pk), "999"])


def test_a_trend_has_a_point_for_each_run_that_started_oldest_first(
    add_measured: AddRun, add_run: AddRun, plan: Plan
) -> None:
    first = add_measured(steady(5, 100.0), plan=plan)
    failed = add_measured(
        steady(5, 300.0),
        plan=plan,
        state="failed",
        verdict={"outcome": "failed", "reason": "p95 was 330 ms, limit 200 ms.", "checks": []},
        started_at=FULL_MINUTE + timedelta(days=1),
    )
    silent = add_run(plan=plan, state="errored", started_at=FULL_MINUTE + timedelta(days=2))
    add_run(plan=plan, state="refused", started_at=None)
    add_run(plan=plan, state="running")
    add_run(plan=plan, is_dry=True)
    add_run()
    history.set_baseline(plan_id=str(plan.pk), run_id=str(first.pk), by="ellen", now=LATER)
    points = history.trend(plan_id=str(plan.pk))
    assert [point.run for point in points] == [str(run.pk) for run in (first, failed, silent)]
    assert [point.is_baseline for point in points] == [True, False, False]
    assert (points[1].state, points[1].reason) == ("failed", "p95 was 330 ms, limit 200 ms.")
    assert points[1].p95_ms == pytest.approx(325, rel=0.02)
    assert (points[2].p95_ms, points[2].requests) == (None, 0)


def test_a_plan_is_compared_with_its_baseline_until_it_has_none(
    add_measured: AddRun, plan: Plan
) -> None:
    run = add_measured(steady(5, 100.0), plan=plan)
    plan_id = str(plan.pk)
    word = history.set_baseline(plan_id=plan_id, run_id=str(run.pk), by="ellen", now=LATER)
    assert word.baseline == str(run.pk)
    assert services.get_run(run_id=str(run.pk)).baseline == str(run.pk)
    word = history.set_baseline(plan_id=plan_id, run_id=None, by="ellen", now=LATER)
    assert word.baseline is None
    entries = audit.entries(action="baseline")
    assert [dict(entry.data) for entry in entries] == [
        {"from": run.pk, "to": None},
        {"from": None, "to": run.pk},
    ]


def test_a_baseline_is_a_run_of_the_plan_with_figures(add_run: AddRun, plan: Plan) -> None:
    stranger, silent = add_run(), add_run(plan=plan, state="errored")
    for run, why in ((stranger, "is not of plan"), (silent, "has no figures")):
        with pytest.raises(Invalid, match=why):
            history.set_baseline(plan_id=str(plan.pk), run_id=str(run.pk), by="ellen", now=LATER)


def test_the_run_before_is_the_last_of_the_same_plan_that_measured_something(
    add_measured: AddRun, add_run: AddRun, plan: Plan
) -> None:
    first = add_measured(steady(2, 10.0), plan=plan)
    add_run(plan=plan, state="errored")
    add_measured(steady(2, 10.0))
    last = add_measured(steady(2, 10.0), plan=plan)
    assert history.previous(run_id=str(last.pk)) == str(first.pk)
    assert history.previous(run_id=str(first.pk)) is None
    assert history.previous(run_id=str(add_run().pk)) is None


def test_tags_and_notes_are_kept_and_the_audit_log_hears_only_which(add_run: AddRun) -> None:
    run_id = str(add_run(notes="old").pk)
    word = notes.annotate(
        run_id=run_id, tags=["RSVP", " guest  list ", "rsvp"], notes="Anna & Ben", by="e", now=LATER
    )
    assert (word.tags, word.notes) == (["rsvp", "guest list"], "Anna & Ben")
    (entry,) = audit.entries(action="annotate")
    assert (entry.subject, dict(entry.data)) == (f"run {run_id}", {"changed": ["tags", "notes"]})


def test_what_is_not_given_stays_and_no_change_leaves_no_entry(add_run: AddRun) -> None:
    run_id = str(add_run(tags=["rsvp"], notes="why").pk)
    word = notes.annotate(run_id=run_id, notes="why", by="ellen", now=LATER)
    assert (word.tags, word.notes) == (["rsvp"], "why")
    assert audit.entries(action="annotate") == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"tags": "rsvp"}, "list of words"),
        ({"tags": [1]}, "list of words"),
        ({"tags": ["<b>"]}, "is no tag"),
        ({"tags": [""]}, "is no tag"),
        ({"tags": ["x" * 41]}, "is no tag"),
        ({"tags": [str(n) for n in range(21)]}, "at most 20 tags"),
        ({"notes": 7}, "at most 10000"),
        ({"notes": "x" * 10_001}, "at most 10000"),
    ],
)
def test_tags_and_notes_that_make_no_sense_are_refused_in_words(
    add_run: AddRun, words: dict[str, Any], why: str
) -> None:
    with pytest.raises(Invalid, match=why):
        notes.annotate(run_id=str(add_run().pk), by="ellen", now=LATER, **words)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"tag": "rsvp"}, ["second", "first"]),
        ({"tag": "rs"}, []),
        ({"tag": "Früh"}, ["second"]),
        ({"tag": "100%"}, []),
        ({"plan": "PLAN"}, ["first"]),
        ({"plan": "nonsense"}, []),
        ({"text": "COND"}, ["second"]),
        ({"text": "\0"}, []),
        ({"state": "\0"}, []),
        ({"tool": "k6\0"}, []),
        ({"tag": "\0"}, []),
        ({"before": "SECOND"}, ["first"]),
    ],
)
def test_runs_are_found_by_tag_and_plan_and_page_by_page(
    add_run: AddRun, plan: Plan, asked: dict[str, str], found: list[str]
) -> None:
    add_run(name="first", tags=["rsvp"], plan=plan)
    second = add_run(name="second", tags=["rsvp", "früh"])
    known = {"PLAN": str(plan.pk), "SECOND": str(second.pk)}
    words = {name: known.get(value, value) for name, value in asked.items()}
    assert [run.name for run in services.list_runs(**words)] == found  # type: ignore[arg-type]


def test_metrics_of_each_kind_are_told_by_the_figures_that_suit_it() -> None:
    aggregator = Aggregator()
    batch = Batch(kinds={"checks": "rate", "data": "counter", "vus": "gauge", "wait": "trend"})
    for metric, values in {"checks": [1, 1, 0, 1], "data": [100, 50], "vus": [3, 9, 4]}.items():
        for value in values:
            batch.add(7, Key(metric, ""), float(value))
    for value in range(1, 101):
        batch.add(7, Key("wait", ""), float(value))
    aggregator.add(batch)
    words = {word["name"]: word for word in report.metrics(aggregator.metrics())}
    assert words["checks"] == {"name": "checks", "kind": "rate", "count": 4, "rate": 0.75}
    assert words["data"]["total"] == 150
    assert (words["vus"]["last"], words["vus"]["min"], words["vus"]["max"]) == (4.0, 3.0, 9.0)
    assert words["wait"]["p95"] == pytest.approx(95, rel=0.005)
    assert words["wait"]["max"] == 100


@pytest.mark.paced
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6")
def test_a_run_keeps_every_key_of_every_second_and_tells_its_other_metrics(engineer: User) -> None:
    asked = request_for("steady", 2.5)
    started = services.start(by=engineer, request=asked, now=clock.now())
    engine.execute(int(started.id))
    run = services.get_run(run_id=started.id)
    assert run.totals is not None
    kept = rollup.merged_cells(keeping.spans_of(int(run.id), 60))
    assert kept is not None
    requests = {key.name: tally for key, tally in kept.items() if key.metric == REQUESTS}
    assert sum(tally.count for tally in requests.values()) == run.totals["requests"]
    others = {key.metric for key in kept} - {REQUESTS}
    assert others
    assert {metric["name"] for metric in run.metrics} == others
