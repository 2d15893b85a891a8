"""Every move of a run is a compare-and-swap, and says for good who made it and why."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

import clock
from audit import services as audit
from runs import engine, moves, services
from runs.models import GOING, Run, State
from runs.outcome import Outcome
from tests.conftest import MoveClock
from tests.runs.conftest import TUESDAY, request_for
from tests.runs.driving import begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "quiet_tuesday")]


def told(run: Run) -> list[tuple[str, str, str, str]]:
    return [(m.of, m.to, m.by, m.why) for m in services.list_moves(run_id=str(run.pk))]


def move(run: Run, of: State, to: State) -> bool:
    return moves.move(run.pk, of=[of], to=to, by="ada", why="to try it", now=clock.now())


def test_a_move_is_told_with_its_states_who_and_why(engineer: User) -> None:
    run = begin(engineer)
    assert move(run, State.REQUESTED, State.PREPARING)
    assert told(run) == [
        ("", "requested", "ellen", "a start was asked for"),
        ("requested", "preparing", "ada", "to try it"),
    ]


def test_whoever_comes_second_moves_nothing_and_leaves_no_entry(engineer: User) -> None:
    run = begin(engineer)
    assert move(run, State.REQUESTED, State.PREPARING)
    assert not move(run, State.REQUESTED, State.ABORTED)
    assert Run.objects.get(pk=run.pk).state == "preparing"
    assert len(told(run)) == 2


def test_a_move_and_its_entry_are_kept_together_or_not_at_all(engineer: User) -> None:
    run = begin(engineer)
    with pytest.raises(ValueError, match="must be printable"):
        moves.move(
            run.pk, of=[State.REQUESTED], to=State.PREPARING, by="", why="x", now=clock.now()
        )
    assert Run.objects.get(pk=run.pk).state == "requested"


def test_a_whole_life_is_told_in_order_and_the_chain_holds(engineer: User) -> None:
    run = begin(engineer)
    for of, to in zip([State.REQUESTED, *GOING], GOING, strict=False):
        move(run, of, to)
    services.stop(run_id=str(run.pk), by="mara", now=clock.now(), why="the DJ is early")
    run.refresh_from_db()
    engine.finish(run, Outcome("aborted", "Stopped by mara: the DJ is early."))
    assert [entry[1] for entry in told(run)] == [
        *("requested", "preparing", "ready", "running", "stopping", "aborted")
    ]
    assert told(run)[4][2:] == ("mara", "the DJ is early")
    assert audit.verify().broken is None


def test_a_refusal_is_the_first_and_the_last_move(engineer: User, move_clock: MoveClock) -> None:
    move_clock(TUESDAY + timedelta(days=4, hours=4))
    with pytest.raises(services.RunRefused) as refusal:
        services.start(by=engineer, request=request_for(), now=clock.now())
    (only,) = services.list_moves(run_id=refusal.value.run.id)
    assert (only.of, only.to, only.by) == ("", "refused", "ellen")
    assert "Saturday wedding day protection" in only.why


def test_the_admin_shows_a_runs_moves(admin_client: Client, engineer: User) -> None:
    run = begin(engineer)
    move(run, State.REQUESTED, State.PREPARING)
    page = admin_client.get(f"/admin/runs/run/{run.pk}/change/").content.decode()
    assert "<td>preparing</td><td>ada</td><td>to try it</td>" in page
