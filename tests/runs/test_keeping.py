from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User

from runs import tasks
from runs.models import Run, Snapshot
from runs.past import history, keeping, rollup
from runs.samples import REQUESTS
from tests.conftest import MoveClock
from tests.runs.conftest import TUESDAY
from tests.runs.seconds import FULL_MINUTE, keep, past_run, spans_of, steady

pytestmark = pytest.mark.django_db

AddRun = Callable[..., Run]
LATER = FULL_MINUTE + timedelta(hours=1)
KEEP = {1: timedelta(days=7), 10: timedelta(days=90)}


@pytest.fixture
def add_run(engineer: User) -> AddRun:
    return partial(past_run, engineer)


def widths(run: Run) -> list[int]:
    kept = Snapshot.objects.filter(run=run).order_by("width", "at")
    return sorted(kept.values_list("width", flat=True))


def test_a_run_that_is_over_stands_in_tens_and_minutes(add_run: AddRun) -> None:
    run = add_run()
    keep(run, spans_of(steady(125, 10.0)))
    keeping.roll_up(now=LATER)
    assert (widths(run).count(10), widths(run).count(60)) == (13, 3)
    minutes = Snapshot.objects.filter(run=run, width=60).order_by("at")
    assert [row.data["requests"] for row in minutes] == [1200, 1200, 100]
    run.refresh_from_db()
    assert run.rolled_at == LATER


def test_rolling_up_twice_changes_nothing(add_run: AddRun) -> None:
    run = add_run()
    keep(run, spans_of(steady(70, 10.0)))
    keeping.roll_up(now=LATER)
    before = list(Snapshot.objects.order_by("pk").values_list("pk", "data"))
    Run.objects.update(rolled_at=None)
    keeping.roll_up(now=LATER)
    assert list(Snapshot.objects.order_by("pk").values_list("pk", "data")) == before


def test_of_a_running_test_only_spans_that_are_whole_are_written(add_run: AddRun) -> None:
    run = add_run(state="running", ended_at=None)
    seconds = spans_of(steady(45, 10.0))
    keep(run, seconds[:25])
    keeping.roll_up(now=LATER)
    assert widths(run).count(10) == 2
    keep(run, seconds[25:])
    keeping.roll_up(now=LATER)
    tens = Snapshot.objects.filter(run=run, width=10).order_by("at")
    assert [row.data["requests"] for row in tens] == [200, 200, 200, 200]


def test_a_run_that_just_ended_waits_for_seconds_of_a_silent_worker(add_run: AddRun) -> None:
    run = add_run(state="lost", ended_at=FULL_MINUTE + timedelta(seconds=30))
    keep(run, spans_of(steady(15, 10.0)))
    keeping.roll_up(now=FULL_MINUTE + timedelta(seconds=60))
    assert widths(run).count(10) == 1
    keeping.roll_up(now=FULL_MINUTE + timedelta(seconds=90))
    assert widths(run).count(10) == 2


def test_a_long_run_is_rolled_up_in_several_transactions(
    add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "CHUNK", 65)
    run = add_run()
    keep(run, spans_of(steady(200, 10.0, each=3)))
    keeping.roll_up(now=LATER)
    minutes = Snapshot.objects.filter(run=run, width=60).order_by("at")
    assert [row.data["requests"] for row in minutes] == [180, 180, 180, 60]


@pytest.mark.parametrize("width", [10, 60])
def test_metrics_are_the_same_before_and_after_the_sweep(add_run: AddRun, width: int) -> None:
    run = add_run(state="running", ended_at=None)
    keep(run, spans_of(steady(95, 10.0)))
    before = history.metrics(run_id=str(run.pk), width=width)
    keeping.roll_up(now=LATER)
    assert history.metrics(run_id=str(run.pk), width=width) == before
    assert sum(word["requests"] for word in before) == 1900
    assert {word["width"] for word in before} == {width}


def test_seconds_are_told_as_they_were_streamed(add_run: AddRun) -> None:
    run = add_run()
    seconds = spans_of(steady(3, 10.0))
    keep(run, seconds)
    words = history.metrics(run_id=str(run.pk))
    assert words == [{**span.data, "width": 1} for span in seconds]


def test_a_width_that_does_not_exist_is_refused_in_words(add_run: AddRun) -> None:
    run_id = str(add_run().pk)
    with pytest.raises(ValueError, match="widths of 1, 10 and 60 seconds"):
        history.metrics(run_id=run_id, width=7)


def test_seconds_go_after_a_week_tens_after_three_months_and_minutes_stay(
    add_run: AddRun,
) -> None:
    run = add_run()
    keep(run, spans_of(steady(70, 10.0)))
    keeping.roll_up(now=LATER)
    assert keeping.forget(now=LATER + timedelta(days=6), keep=KEEP) == 0
    assert keeping.forget(now=LATER + timedelta(days=8), keep=KEEP) == 70
    assert {word["width"] for word in history.metrics(run_id=str(run.pk))} == {10}
    keeping.forget(now=LATER + timedelta(days=91), keep=KEEP)
    words = history.metrics(run_id=str(run.pk))
    assert [(word["width"], word["requests"]) for word in words] == [(60, 1200), (60, 200)]
    keeping.forget(now=LATER + timedelta(days=9999), keep=KEEP)
    assert widths(run) == [60, 60]


def test_endpoints_outlive_the_seconds_they_came_from(add_run: AddRun) -> None:
    run = add_run()
    keep(run, spans_of(steady(70, 10.0, name="rsvp")))
    keeping.roll_up(now=LATER)
    keeping.forget(now=LATER + timedelta(days=91), keep=KEEP)
    kept = rollup.merged_cells(keeping.spans_of(run.pk, 60))
    assert kept is not None
    tally = kept[next(key for key in kept if key.metric == REQUESTS)]
    assert tally.count == 1400
    assert tally.sketch.quantile(0.5) == pytest.approx(10, rel=0.02)


def test_a_run_half_forgotten_is_told_whole_by_wider_spans(
    add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROUNDS", 1)
    monkeypatch.setattr(keeping, "FORGOTTEN", 40)
    run = add_run()
    keep(run, spans_of(steady(70, 10.0)))
    keeping.roll_up(now=LATER)
    assert keeping.forget(now=LATER + timedelta(days=8), keep=KEEP) == 40
    words = history.metrics(run_id=str(run.pk))
    assert {word["width"] for word in words} == {10}
    assert sum(word["requests"] for word in words) == 1400


def test_nothing_is_forgotten_of_a_run_that_was_not_rolled_up(add_run: AddRun) -> None:
    keep(add_run(), spans_of(steady(70, 10.0)))
    assert keeping.forget(now=LATER + timedelta(days=99), keep=KEEP) == 0


def test_a_clock_that_was_moved_forgets_nothing(add_run: AddRun, move_clock: MoveClock) -> None:
    run = add_run()
    keep(run, spans_of(steady(12, 10.0)))
    keeping.roll_up(now=LATER)
    move_clock(TUESDAY + timedelta(days=400))
    tasks.forget()
    assert widths(run).count(1) == 12
