"""Tests of one site wait for each other, and the calendar is asked again when one is let in."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.models import Permit, Wedding
from runs import engine, moves, services, tasks
from runs.models import Run, State, Target
from runs.outcome import Outcome
from runs.waiting import queue
from tests.conftest import MoveClock
from tests.runs.conftest import TUESDAY, request_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "quiet_tuesday")]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SATURDAY = datetime.fromisoformat("2026-06-13T00:00:00+01:00")
NINE_IN_THE_EVENING = SATURDAY - 3 * HOUR
HERE, THERE = "http://127.0.0.1:9", "http://127.0.0.1:10"


def start(engineer: User, target: str = HERE, duration: timedelta = HOUR) -> services.RunWord:
    request = request_for(target=target, duration=duration)
    return services.start(by=engineer, request=request, now=clock.now())


def run(word: services.RunWord) -> services.RunWord:
    return services.get_run(run_id=word.id)


def states(*words: services.RunWord) -> list[str]:
    return [run(word).state for word in words]


def take(word: services.RunWord) -> None:
    """As a worker does."""
    now = clock.now()
    assert moves.move(
        int(word.id),
        of=[State.REQUESTED],
        to=State.RUNNING,
        by="worker",
        why="",
        now=now,
        heartbeat_at=clock.real_now(),
        started_at=now,
    )


def finish(word: services.RunWord) -> None:
    assert engine.finish(Run.objects.get(pk=word.id), Outcome("passed", "fine"))
    tasks.let_in(clock.now())


def test_a_second_test_of_a_site_waits_with_its_position(engineer: User) -> None:
    first, second, third = (start(engineer) for _ in range(3))
    assert states(first, second, third) == ["requested", "queued", "queued"]
    assert [run(w).queue_position for w in (first, second, third)] == [None, 1, 2]


def test_tests_of_other_sites_do_not_wait(engineer: User) -> None:
    assert states(start(engineer), start(engineer, THERE)) == ["requested", "requested"]


def test_the_oldest_goes_first_when_a_test_ends_and_the_others_move_up(engineer: User) -> None:
    first, second, third = (start(engineer) for _ in range(3))
    take(first)
    tasks.sweep()
    assert states(second, third) == ["queued", "queued"]
    finish(first)
    assert states(second, third) == ["requested", "queued"]
    assert run(third).queue_position == 1
    take(second)
    finish(second)
    assert states(third) == ["requested"]


def test_nobody_overtakes_who_waits(engineer: User) -> None:
    first, second = start(engineer), start(engineer)
    take(first)
    engine.finish(Run.objects.get(pk=first.id), Outcome("passed", "fine"))
    late = start(engineer)
    assert states(second, late) == ["queued", "queued"]
    tasks.sweep()
    assert states(second, late) == ["requested", "queued"]


def test_a_target_may_allow_two_at_a_time(engineer: User) -> None:
    Target.objects.update(concurrency=2)
    words = [start(engineer) for _ in range(4)]
    assert states(*words) == ["requested", "requested", "queued", "queued"]
    Target.objects.update(concurrency=3)
    tasks.sweep()
    assert states(*words) == ["requested", "requested", "requested", "queued"]


def test_where_two_targets_allow_a_test_the_smaller_number_counts_to_the_end(
    engineer: User,
) -> None:
    Target.objects.update(concurrency=3)
    Target.objects.create(name="By name", hosts=["localhost"], concurrency=3)
    Target.objects.create(name="By network", hosts=["127.0.0.0/8", "::1"], concurrency=1)
    words = [start(engineer, "http://localhost:9") for _ in range(3)]
    tasks.sweep()
    assert states(*words) == ["requested", "queued", "queued"]
    take(words[0])
    finish(words[0])
    assert states(*words[1:]) == ["requested", "queued"]


@pytest.mark.usefixtures("fake_k6")
def test_one_whose_target_was_closed_while_it_waited_is_told_so_by_its_worker(
    engineer: User,
) -> None:
    first, second, third = (start(engineer) for _ in range(3))
    Target.objects.update(is_open=False, concurrency=3)
    tasks.sweep()
    assert states(second, third) == ["queued", "queued"]
    take(first)
    finish(first)
    assert states(second, third) == ["requested", "queued"]
    engine.execute(int(second.id))
    assert "is closed. Ask ops why, and to open it." in str(run(second).verdict)


def test_a_dry_run_neither_waits_nor_is_waited_for(engineer: User) -> None:
    dry = services.dry_run(by=engineer, request=request_for(), now=clock.now())
    real = start(engineer)
    after = services.dry_run(by=engineer, request=request_for(), now=clock.now())
    assert states(dry, real, after) == ["requested"] * 3


def test_stopping_one_that_waits_ends_it_at_once(engineer: User) -> None:
    first, second, third = (start(engineer) for _ in range(3))
    word = services.stop(run_id=second.id, by="mara", now=clock.now(), why="not today")
    assert word.state == "aborted"
    assert word.verdict is not None
    assert word.verdict["reason"] == "Stopped by mara before it began: not today."
    assert states(first, third) == ["requested", "queued"]
    assert Permit.objects.get(run_id=second.id).revoked_by == "mara"


def test_stopping_the_first_before_it_began_lets_the_next_in(engineer: User) -> None:
    first, second = start(engineer), start(engineer)
    services.stop(run_id=first.id, by="mara", now=clock.now())
    assert states(first, second) == ["aborted", "requested"]


def test_stop_all_ends_what_waits_and_stops_what_runs_of_one_site(engineer: User) -> None:
    running, waiting, elsewhere = start(engineer), start(engineer), start(engineer, THERE)
    take(running)
    stopped = services.stop_all(by="mara", why="incident", now=clock.now(), site="127.0.0.1:9")
    assert {word.id: word.state for word in stopped} == {
        running.id: "stopping",
        waiting.id: "aborted",
    }
    assert states(elsewhere) == ["requested"]
    services.stop_all(by="mara", why="incident", now=clock.now())
    assert states(elsewhere) == ["aborted"]


def test_one_that_waits_is_not_among_those_that_may_be_testing_now(engineer: User) -> None:
    first, second = start(engineer), start(engineer)
    in_force = calendar_guard.permits_in_force(now=clock.now() + MINUTE)
    assert [permit.run_id for permit in in_force] == [first.id]
    permit = Permit.objects.get(run_id=second.id)
    assert permit.starts_at >= clock.now() + HOUR - MINUTE


def test_its_permit_is_for_the_latest_start_that_the_calendar_allows(
    engineer: User, move_clock: MoveClock
) -> None:
    move_clock(NINE_IN_THE_EVENING)
    start(engineer, duration=2 * HOUR)
    second = start(engineer, duration=timedelta(minutes=90))
    assert states(second) == ["queued"]
    permit = Permit.objects.get(run_id=second.id)
    # A stop of a minute and the buffer of a quarter of an hour end at midnight.
    assert permit.starts_at == SATURDAY - timedelta(minutes=90 + 1 + 15)


def test_one_that_can_no_longer_fit_is_refused_with_why_when_its_turn_comes(
    engineer: User, move_clock: MoveClock
) -> None:
    move_clock(NINE_IN_THE_EVENING)
    first = start(engineer, duration=2 * HOUR)
    second = start(engineer, duration=timedelta(minutes=90))
    take(first)
    move_clock(NINE_IN_THE_EVENING + 90 * MINUTE)
    finish(first)
    word = run(second)
    assert word.state == "refused"
    assert word.verdict is not None
    assert "Saturday wedding day protection" in word.verdict["reason"]
    assert calendar_guard.permits_in_force(now=clock.now()) == []


def test_a_wedding_that_is_saved_calls_off_who_waits(engineer: User) -> None:
    first = start(engineer, duration=30 * MINUTE)
    second = start(engineer, duration=30 * MINUTE)
    calendar_guard.place_hold(
        reason="rehearsal",
        starts_at=clock.now() + 50 * MINUTE,
        ends_at=clock.now() + 5 * HOUR,
        by="mara",
        now=clock.now(),
    )
    tasks.sweep()
    word = run(second)
    assert states(first) == ["requested"]
    assert word.state == "refused"
    assert "hold would begin" in str(word.verdict)


def test_it_is_judged_anew_from_now_when_it_is_let_in(
    engineer: User, move_clock: MoveClock
) -> None:
    first, second = start(engineer), start(engineer)
    take(first)
    move_clock(TUESDAY + 10 * MINUTE)
    finish(first)
    permit = Permit.objects.get(run_id=second.id)
    assert permit.starts_at - TUESDAY < 11 * MINUTE
    assert permit.ends_at - permit.starts_at == HOUR
    assert Wedding.objects.count() == 0


@pytest.mark.parametrize(
    ("ends", "ahead", "slots", "expected"),
    [
        ([], [], 1, 0),
        ([30], [], 1, 30),
        ([-5], [], 1, 0),
        ([30], [20, 10], 1, 60),
        ([30, 50], [], 2, 30),
        ([30, 50], [40], 2, 50),
        ([30], [], 2, 0),
        ([30, 50], [], 1, 50),
    ],
)
def test_the_worst_start_is_when_all_before_took_as_long_as_they_may(
    ends: list[int], ahead: list[int], slots: int, expected: int
) -> None:
    found = queue.worst_start(
        [TUESDAY + end * MINUTE for end in ends],
        [minutes * MINUTE for minutes in ahead],
        slots=slots,
        now=TUESDAY,
    )
    assert found == TUESDAY + expected * MINUTE
