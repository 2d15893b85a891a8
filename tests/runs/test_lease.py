"""What keeps a run alive, where it has no permit to keep."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

import clock
from calendar_guard import services as calendar_guard
from runs import launching, lease, moves, persisting, services
from runs.lease import Lease
from runs.models import Run, Shard, State
from runs.outcome import Stop
from runs.shards import link
from tests.conftest import MoveClock
from tests.runs.conftest import begin_a_wedding, request_for
from tests.runs.driving import begin
from tests.waiting import until

HALF_A_MINUTE = timedelta(seconds=30)


def break_down(*_: object, **__: object) -> None:
    raise KeyError("nobody foresaw this")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_dry_run_shows_that_it_lives_and_ends_when_somebody_stops_it(engineer: User) -> None:
    word = services.dry_run(by=engineer, request=request_for(), now=clock.now())
    run_id, long_ago = int(word.id), clock.real_now() - timedelta(seconds=9)
    moves.move(
        run_id,
        of=[State.REQUESTED],
        to=State.PREPARING,
        by="worker",
        why="",
        now=clock.now(),
        heartbeat_at=long_ago,
    )

    with Lease(run_id=run_id, permit_id=None, duration=timedelta(minutes=1)) as held:
        fresh = Run.objects.filter(pk=run_id, heartbeat_at__gt=long_ago + timedelta(seconds=5))
        until(fresh.exists, within=10, what="a sign of life")
        assert held.stop() is None
        services.stop(run_id=word.id, by="mara", now=clock.now())
        stop = until(held.stop, within=10, what="the stop")
    assert (stop.outcome, stop.reason) == ("aborted", "The dry run was stopped.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_lease_beats_often_enough_that_a_shard_may_miss_some_beats(engineer: User) -> None:
    assert lease.BEAT_S * 4 < link.CONDUCTOR_S
    run = begin(engineer)
    seen = set()

    def five_beats() -> bool:
        seen.add(Run.objects.values_list("heartbeat_at", flat=True).get(pk=run.pk))
        return len(seen) > 5

    with Lease(run_id=run.pk, permit_id=run.permit_id, duration=run.duration):
        until(five_beats, within=4, what="five beats")


@pytest.fixture
def preparing(engineer: User) -> Run:
    """A run that a worker has begun with."""
    run, to = begin(engineer), State.PREPARING
    moves.move(run.pk, of=[State.REQUESTED], to=to, by="worker", why="", now=clock.now())
    run.refresh_from_db()
    return run


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_no_is_no_yes_however_long_it_takes_to_write_it_down(
    preparing: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Lease(run_id=preparing.pk, permit_id=preparing.permit_id, duration=preparing.duration)
    seconds, stops = [100.0], []

    def take_half_a_second(*_: object, **__: object) -> bool:
        seconds[0] += 0.5
        stops.append(held.stop())
        return False

    monkeypatch.setattr(lease, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    held.begin_now()
    assert held.stop() is None
    begin_a_wedding()
    monkeypatch.setattr(moves, "move", take_half_a_second)
    seconds[0] += lease.SILENCE_S - 0.1
    held.begin_now()
    assert stops[0] is not None


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
@pytest.mark.parametrize("slow", [(calendar_guard, "renew"), (moves, "move")])
def test_no_tool_is_let_go_on_a_yes_that_is_no_longer_good(
    preparing: Run, monkeypatch: pytest.MonkeyPatch, slow: tuple[Any, str]
) -> None:
    """The database took its time to give the answer, or to write down what follows from it."""
    held = Lease(run_id=preparing.pk, permit_id=preparing.permit_id, duration=preparing.duration)
    seconds, act = [100.0], getattr(*slow)

    def act_slowly(*words: Any, **more: Any) -> Any:
        seconds[0] += lease.SILENCE_S + 0.1
        return act(*words, **more)

    monkeypatch.setattr(lease, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    monkeypatch.setattr(*slow, act_slowly)
    stop = launching.launch(preparing.pk, held, ready="the tool is ready")
    assert stop
    assert "did not answer for 3 s" in stop.reason


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_permit_that_ran_out_while_a_script_loaded_is_no_refusal(preparing: Run) -> None:
    """The calendar forbade nothing."""
    held = Lease(run_id=preparing.pk, permit_id=preparing.permit_id, duration=-timedelta(minutes=9))
    held.begin_now()
    stop = held.stop()
    assert stop
    assert stop.outcome == "aborted"
    assert "The time that was permitted is over" in stop.reason


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
@pytest.mark.parametrize(("hours", "said"), [(2, "2 h ahead of"), (-2, "2 h behind")])
def test_a_worker_whose_clock_is_false_begins_nothing(
    preparing: Run, monkeypatch: pytest.MonkeyPatch, hours: int, said: str
) -> None:
    monkeypatch.setattr(lease, "ahead", lambda: timedelta(hours=hours))
    held = Lease(run_id=preparing.pk, permit_id=preparing.permit_id, duration=preparing.duration)
    held.begin_now()
    stop = held.stop()
    assert stop
    assert stop.outcome == "errored"
    assert f"is {said} the database's" in stop.reason


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_worker_that_takes_a_tuesday_for_a_saturday_is_not_told_of_a_saturday(
    preparing: Run, monkeypatch: pytest.MonkeyPatch, move_clock: MoveClock
) -> None:
    days = timedelta(days=4)
    move_clock(clock.now() + days)
    monkeypatch.setattr(lease, "ahead", lambda: days)
    held = Lease(run_id=preparing.pk, permit_id=preparing.permit_id, duration=preparing.duration)
    held.begin_now()
    stop = held.stop()
    assert stop
    assert "ahead of the database's" in stop.reason, stop.reason
    assert Run.objects.get(pk=preparing.pk).state == State.PREPARING


@pytest.mark.django_db
def test_a_clock_is_compared_with_that_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        assert persisting.ahead() == timedelta()
        return
    before, real = persisting.ahead(), clock.real_now
    assert abs(before) < lease.FALSE_CLOCK
    monkeypatch.setattr(clock, "real_now", lambda: real() + timedelta(hours=2))
    assert abs(persisting.ahead() - before - timedelta(hours=2)) < lease.FALSE_CLOCK


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_lease_that_breaks_says_so_and_its_heart_goes_on(
    preparing: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lease(run_id=preparing.pk, permit_id=preparing.permit_id, duration=HALF_A_MINUTE) as held:
        monkeypatch.setattr(calendar_guard, "renew", break_down)
        stop = until(held.stop, within=lease.SILENCE_S - 1, what="the end")
        beat = Run.objects.values_list("heartbeat_at", flat=True).get(pk=preparing.pk)
        later = Run.objects.filter(pk=preparing.pk, heartbeat_at__gt=beat)
        until(later.exists, within=2, what="another beat")
    assert stop == Stop(
        f"A fault of ours, not the script's: see run {preparing.pk} in the log.", "errored"
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey", "quiet_tuesday")
def test_a_link_that_breaks_says_so(preparing: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = Shard.objects.create(run=preparing, index=0)
    monkeypatch.setattr(link.Link, "_deliver", break_down)
    with link.Link(shard) as held:
        stop = until(held.stop, within=2, what="the end")
    assert stop == Stop(f"A fault of ours, not the script's: see {shard} in the log.", "errored")
