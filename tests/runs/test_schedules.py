"""Plans that the clock starts: due, skipped, rolled on, missed, and always with one next run."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.models import Hold, Permit
from runs import engine, moves, services, tasks
from runs.models import Plan, Run, Schedule, State
from runs.outcome import Outcome
from runs.waiting import tending
from tests.conftest import MoveClock
from tests.runs.conftest import TUESDAY, request_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "quiet_tuesday")]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SATURDAY_TEN = datetime.fromisoformat("2026-06-13T10:00:00+02:00")
MONDAY_EIGHT = datetime.fromisoformat("2026-06-15T08:00:00+01:00")
DAILY = "FREQ=DAILY"


@pytest.fixture
def plan(engineer: User) -> services.PlanWord:
    request = request_for(duration=10 * MINUTE)
    return services.add_plan(by=engineer, request=request, now=clock.now())


@pytest.fixture
def at(move_clock: MoveClock) -> Any:
    """Go to a moment, where beat sweeps."""

    def go(moment: datetime) -> None:
        move_clock(moment)
        tasks.sweep()

    return go


def schedule(
    engineer: User, plan: services.PlanWord, starts_at: datetime | None, **words: Any
) -> services.ScheduleWord:
    zone = {"zone": "Europe/Berlin"}
    return services.schedule(
        by=engineer, plan_id=plan.id, starts_at=starts_at, now=clock.now(), **(zone | words)
    )


def runs(word: services.ScheduleWord) -> list[Run]:
    return list(Run.objects.filter(schedule_id=word.id).order_by("pk"))


def states(word: services.ScheduleWord) -> list[str]:
    return [run.state for run in runs(word)]


def permit_of(run: Run) -> Permit:
    assert run.permit_id
    return Permit.objects.get(pk=run.permit_id)


def reason(run: Run) -> str:
    return str((run.verdict or {}).get("reason"))


def again(word: services.ScheduleWord) -> services.ScheduleWord:
    return services.get_schedule(schedule_id=word.id)


def hold(start: datetime, end: datetime) -> None:
    calendar_guard.place_hold(
        reason="rehearsal", starts_at=start, ends_at=end, by="mara", now=clock.now()
    )


def finish(run: Run) -> None:
    now = clock.now()
    moves.move(run.pk, of=[State.REQUESTED], to=State.RUNNING, by="worker", why="", now=now)
    run.refresh_from_db()
    assert engine.finish(run, Outcome("passed", "fine"))


def test_a_scheduled_test_is_a_run_with_a_permit_for_its_time_to_come(
    engineer: User, plan: services.PlanWord
) -> None:
    start = TUESDAY + 3 * HOUR
    word = schedule(engineer, plan, start)
    (run,) = runs(word)
    permit = permit_of(run)
    assert (run.state, run.scheduled_for) == ("scheduled", start)
    assert (permit.starts_at, permit.ends_at) == (start, start + 10 * MINUTE)
    assert calendar_guard.permits_in_force(now=clock.now()) == []
    assert (word.run, word.next_at) == (str(run.pk), "2026-06-09T11:00:00+00:00")


def test_it_starts_by_itself_when_it_is_due_and_not_before(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR)
    at(TUESDAY + HOUR - MINUTE)
    assert states(word) == ["scheduled"]
    at(TUESDAY + HOUR + timedelta(seconds=1))
    assert states(word) == ["requested"]
    (run,) = runs(word)
    assert [permit.run_id for permit in calendar_guard.permits_in_force(now=clock.now())] == [
        str(run.pk)
    ]
    assert services.list_moves(run_id=str(run.pk))[-1].why == f"schedule {word.id} was due"
    finish(run)
    tasks.sweep()
    assert again(word).ended_why == f"Run {run.pk} was its last."
    assert states(word) == ["passed"]


def test_the_plan_is_run_as_it_is_when_it_is_due(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR)
    Plan.objects.update(script="// newer", duration=20 * MINUTE)
    at(TUESDAY + HOUR + MINUTE)
    (run,) = runs(word)
    assert (run.script, run.duration) == ("// newer", 20 * MINUTE)
    permit = permit_of(run)
    assert permit.ends_at - permit.starts_at == 20 * MINUTE


def test_a_plan_that_can_be_no_test_any_more_is_skipped_with_why(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR)
    Plan.objects.update(target="http://10.0.0.1/")
    at(TUESDAY + HOUR + MINUTE)
    (run,) = runs(word)
    assert run.state == "refused"
    assert "may not reach 10.0.0.1" in reason(run)
    assert permit_of(run).given_back_at is not None
    assert "was skipped: Load tests may not reach" in again(word).ended_why


def test_a_rule_has_exactly_one_next_run_however_often_it_is_swept(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR, rule=DAILY)
    for _ in range(3):
        tasks.sweep()
    assert states(word) == ["scheduled"]
    at(TUESDAY + HOUR + MINUTE)
    assert states(word) == ["requested"]
    finish(runs(word)[0])
    for _ in range(3):
        tasks.sweep()
    assert states(word) == ["passed", "scheduled"]
    assert runs(word)[1].scheduled_for == TUESDAY + HOUR + DAY


def test_a_rule_that_is_exhausted_ends(engineer: User, plan: services.PlanWord, at: Any) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR, rule="FREQ=DAILY;COUNT=1")
    at(TUESDAY + HOUR + MINUTE)
    finish(runs(word)[0])
    tasks.sweep()
    ended = again(word)
    assert (ended.next_at, ended.run) == (None, None)
    assert "was its last" in ended.ended_why


def test_what_was_missed_is_skipped_once_and_the_next_one_is_to_come(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    """The stack was down from Tuesday to Thursday."""
    word = schedule(engineer, plan, TUESDAY + HOUR, rule=DAILY)
    at(TUESDAY + 2 * DAY + timedelta(seconds=90))
    assert states(word) == ["refused", "scheduled"]
    missed, following = runs(word)
    assert reason(missed) == "It was due 47 h 1 min ago, when nothing here could start it."
    assert following.scheduled_for == TUESDAY + 2 * DAY + HOUR
    assert permit_of(missed).given_back_at is not None


def test_some_minutes_late_is_not_missed(engineer: User, plan: services.PlanWord, at: Any) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR)
    at(TUESDAY + HOUR + tending.GRACE - timedelta(seconds=30))
    assert states(word) == ["requested"]


def test_a_hold_that_is_placed_meanwhile_skips_it_at_once(
    engineer: User, plan: services.PlanWord
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR)
    hold(TUESDAY + HOUR, TUESDAY + 3 * HOUR)
    tasks.sweep()
    (run,) = runs(word)
    assert run.state == "refused"
    assert "hold in force" in reason(run)
    assert f"run {run.pk}, was skipped: 1 hold in force" in again(word).ended_why


def test_one_that_rolls_goes_on_to_the_next_safe_window(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR, rolls=True)
    hold(TUESDAY + HOUR, TUESDAY + 3 * HOUR)
    tasks.sweep()
    skipped, rolled = runs(word)
    assert (skipped.state, rolled.state) == ("refused", "scheduled")
    assert rolled.rolled_from_id == skipped.pk
    assert rolled.scheduled_for == TUESDAY + 3 * HOUR + 15 * MINUTE
    at(TUESDAY + 3 * HOUR + 16 * MINUTE)
    assert states(word) == ["refused", "requested"]


def test_it_rolls_only_so_often(engineer: User, plan: services.PlanWord) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR, rolls=True)
    for _ in range(tending.MOST_ROLLS + 1):
        start = Run.objects.get(schedule_id=word.id, state="scheduled").scheduled_for
        assert start is not None
        hold(start, start + HOUR)
        tasks.sweep()
    assert states(word) == ["refused"] * (tending.MOST_ROLLS + 1)
    assert "was skipped" in again(word).ended_why


def test_a_saturday_of_a_rule_that_rolls_is_skipped_to_monday_morning(
    engineer: User, plan: services.PlanWord, at: Any, move_clock: MoveClock
) -> None:
    move_clock(SATURDAY_TEN - DAY + HOUR)
    word = schedule(engineer, plan, SATURDAY_TEN, rule=DAILY, rolls=True)
    tasks.sweep()
    assert states(word) == ["refused", "scheduled"]
    assert runs(word)[1].scheduled_for == MONDAY_EIGHT
    at(MONDAY_EIGHT + MINUTE)
    finish(runs(word)[1])
    tasks.sweep()
    assert states(word) == ["refused", "passed", "scheduled"]
    assert runs(word)[2].scheduled_for == SATURDAY_TEN + 2 * DAY


def test_a_saturday_that_does_not_roll_is_asked_again_when_it_is_due_and_skipped(
    engineer: User, plan: services.PlanWord, at: Any, move_clock: MoveClock
) -> None:
    move_clock(SATURDAY_TEN - DAY + HOUR)
    word = schedule(engineer, plan, SATURDAY_TEN, rule=DAILY)
    for _ in range(3):
        tasks.sweep()
    (run,) = runs(word)
    assert (run.state, run.permit_id) == ("scheduled", None)
    at(SATURDAY_TEN + timedelta(seconds=1))
    assert states(word) == ["refused", "scheduled"]
    assert "Saturday wedding day protection" in reason(runs(word)[0])
    assert runs(word)[1].scheduled_for == SATURDAY_TEN + DAY


def test_one_that_the_calendar_forbade_starts_when_the_hold_is_lifted(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    hold(TUESDAY + HOUR, TUESDAY + 3 * HOUR)
    word = schedule(engineer, plan, TUESDAY + HOUR, rule=DAILY)
    calendar_guard.lift_hold(hold_id=Hold.objects.get().pk, by="mara", now=clock.now())
    at(TUESDAY + HOUR + MINUTE)
    assert states(word) == ["requested"]


def test_a_single_start_that_is_forbidden_is_refused_at_once(
    engineer: User, plan: services.PlanWord
) -> None:
    with pytest.raises(services.RunRefused, match="Saturday") as refusal:
        schedule(engineer, plan, SATURDAY_TEN)
    assert refusal.value.verdict.next_safe_window is not None
    assert services.get_run(run_id=refusal.value.run.id).state == "refused"
    (kept,) = services.list_schedules()
    assert "Saturday" in kept.ended_why
    tasks.sweep()
    assert Run.objects.count() == 1


def test_in_the_next_safe_window(
    engineer: User, plan: services.PlanWord, at: Any, move_clock: MoveClock
) -> None:
    move_clock(SATURDAY_TEN)
    word = schedule(engineer, plan, None)
    assert [run.scheduled_for for run in runs(word)] == [MONDAY_EIGHT]
    assert word.rolls
    at(MONDAY_EIGHT + MINUTE)
    assert states(word) == ["requested"]


def test_in_the_next_safe_window_is_now_where_it_is_safe(
    engineer: User, plan: services.PlanWord
) -> None:
    word = schedule(engineer, plan, None)
    tasks.sweep()
    assert states(word) == ["requested"]


def test_two_that_are_due_at_once_wait_for_each_other(
    engineer: User, plan: services.PlanWord, at: Any
) -> None:
    words = [schedule(engineer, plan, TUESDAY + HOUR) for _ in range(2)]
    at(TUESDAY + HOUR + MINUTE)
    assert [states(word) for word in words] == [["requested"], ["queued"]]
    assert services.get_run(run_id=str(runs(words[1])[0].pk)).queue_position == 1
    finish(runs(words[0])[0])
    tasks.sweep()
    assert states(words[1]) == ["requested"]


def test_stopping_a_scheduled_run_ends_it_at_once_and_a_rule_goes_on(
    engineer: User, plan: services.PlanWord
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR, rule=DAILY)
    stopped = services.stop(run_id=str(word.run), by="mara", now=clock.now())
    assert stopped.state == "aborted"
    tasks.sweep()
    assert states(word) == ["aborted", "scheduled"]
    assert runs(word)[1].scheduled_for == TUESDAY + HOUR + DAY


def test_cancelling_ends_it_and_its_next_run_and_says_by_whom(
    engineer: User, plan: services.PlanWord
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR, rule=DAILY)
    for _ in range(2):
        ended = services.cancel_schedule(schedule_id=word.id, by=engineer, now=clock.now())
    tasks.sweep()
    assert ended.ended_why == "Cancelled by ellen."
    assert states(word) == ["aborted"]
    assert Permit.objects.get().revoked_by == "ellen"


def test_a_deleted_plan_takes_its_schedule_and_the_run_to_come_along(
    engineer: User, plan: services.PlanWord
) -> None:
    word = schedule(engineer, plan, TUESDAY + HOUR)
    Plan.objects.all().delete()
    tasks.sweep()
    run = services.get_run(run_id=str(word.run))
    assert run.state == "aborted"
    assert "its plan was deleted" in str(run.verdict)
    assert Permit.objects.get().given_back_at is not None


@pytest.mark.parametrize(
    ("starts_at", "words", "field", "said"),
    [
        (TUESDAY - HOUR, {}, "starts_at", "That is over"),
        (TUESDAY + 400 * DAY, {}, "starts_at", "more than a year away"),
        (TUESDAY - 400 * DAY, {"rule": DAILY}, "starts_at", "more than a year ago"),
        (None, {"rule": DAILY}, "starts_at", "repeats from a first start"),
        (TUESDAY + HOUR, {"rule": "daily please"}, "rule", "NAME=VALUE"),
        (TUESDAY - 9 * DAY, {"rule": "FREQ=DAILY;COUNT=2"}, "rule", "All starts"),
        (TUESDAY + HOUR, {"zone": "Berlin"}, "zone", "IANA name"),
    ],
)
def test_a_schedule_that_cannot_be_is_explained(
    engineer: User,
    plan: services.PlanWord,
    starts_at: datetime | None,
    words: dict[str, str],
    field: str,
    said: str,
) -> None:
    with pytest.raises(services.Invalid, match=said) as wrong:
        schedule(engineer, plan, starts_at, **words)
    assert wrong.value.field == field
    assert not Schedule.objects.exists()


def test_schedules_are_listed_by_their_next_start_and_the_ended_ones_last(
    engineer: User, plan: services.PlanWord
) -> None:
    late, early, gone = (schedule(engineer, plan, TUESDAY + n * HOUR) for n in (3, 2, 1))
    services.cancel_schedule(schedule_id=gone.id, by=engineer, now=clock.now())
    assert [word.id for word in services.list_schedules()] == [early.id, late.id, gone.id]
    with pytest.raises(services.UnknownSchedule, match="There is no schedule 999"):
        services.cancel_schedule(schedule_id="999", by=engineer, now=clock.now())


@pytest.fixture
def browser(engineer: User) -> Client:
    engineer.is_staff = True
    engineer.save()
    codes = ["view_schedule", "add_schedule", "delete_schedule", "view_plan"]
    engineer.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(engineer)
    return client


def typed(plan: services.PlanWord, day: str, time: str, **words: str) -> dict[str, str]:
    return {
        "plan": plan.id,
        "starts_at_0": day,
        "starts_at_1": time,
        "zone": "Europe/Berlin",
        "rule": DAILY,
    } | words


def test_the_admin_reads_the_zones_clock_and_shows_the_next_three_starts(
    browser: Client, plan: services.PlanWord
) -> None:
    added = browser.post(
        "/admin/runs/schedule/add/", typed(plan, "2026-06-11", "10:00"), follow=True
    )
    page = added.content.decode()
    row = Schedule.objects.get()
    assert row.starts_at == datetime.fromisoformat("2026-06-11T10:00:00+02:00")
    assert "Thu 11 Jun 2026, 10:00 Europe/Berlin: safe" in page
    assert "Sat 13 Jun 2026, 10:00 Europe/Berlin: not safe, Saturday wedding" in page
    shown = browser.get(f"/admin/runs/schedule/{row.pk}/change/").content.decode()
    assert "Fri 12 Jun 2026, 10:00 Europe/Berlin: safe" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"rule": "FREQ=SECONDLY"}, "A rule begins with FREQ="),
        ({"zone": "Berlin"}, "IANA name such as"),
        ({"rule": "", "starts_at_0": "2026-06-08"}, "That is over"),
    ],
)
def test_the_admin_explains_what_is_wrong(
    browser: Client, plan: services.PlanWord, words: dict[str, str], said: str
) -> None:
    form = typed(plan, "2026-06-11", "10:00", **words)
    assert said in browser.post("/admin/runs/schedule/add/", form).content.decode()
    assert not Schedule.objects.exists()


def test_the_admin_cancels_and_edits_nothing(browser: Client, plan: services.PlanWord) -> None:
    browser.post("/admin/runs/schedule/add/", typed(plan, "2026-06-11", "10:00"))
    row = Schedule.objects.get()
    page = f"/admin/runs/schedule/{row.pk}/"
    assert browser.post(f"{page}change/", typed(plan, "2026-06-12", "10:00")).status_code == 403
    assert browser.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "cancel", "_selected_action": str(row.pk)}
    told = browser.post("/admin/runs/schedule/", chosen, follow=True).content.decode()
    assert "Cancelled 1 schedule." in told
    row.refresh_from_db()
    assert row.ended_why == "Cancelled by ellen."
