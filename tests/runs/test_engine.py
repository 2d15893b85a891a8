"""The whole sentence with a stand-in for k6: the calendar is asked, the tool runs and ends."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.models import Permit
from runs import engine, fanout, following, lease, services, watch
from runs.host import living
from runs.models import Run, Snapshot, Target
from runs.samples.sketch import Sketch
from tests.runs.conftest import begin_a_wedding, request_for
from tests.runs.driving import begin, in_background, outcome, state
from tests.waiting import until

pytestmark = [
    pytest.mark.paced,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6"),
]


def drive(run: Run) -> services.RunWord:
    engine.execute(run.pk)
    return services.get_run(run_id=str(run.pk))


def test_a_run_passes_and_all_that_is_told_of_it_stays_and_fits_together(engineer: User) -> None:
    word = drive(begin(engineer, seconds=2.5))
    assert word.state == "passed"
    assert word.totals is not None
    assert word.processes_left == 0
    assert word.endpoints[0]["name"] == "home"
    assert "1.8.1" in word.tool_version
    seconds = services.metrics(run_id=word.id)
    assert sum(second["requests"] for second in seconds) == word.totals["requests"]
    numbers = [second["seq"] for second in seconds]
    assert numbers == sorted(set(numbers))
    # The clock was moved.
    assert {second["at"][:10] for second in seconds} == {"2026-06-09"}
    assert seconds[0]["tags"]["wedding_season"] is True
    merged = Sketch()
    for snapshot in Snapshot.objects.filter(run_id=word.id):
        merged.merge(Sketch.from_bytes(bytes(snapshot.sketch)))
    assert merged.quantile(0.95) == pytest.approx(word.totals["p95_ms"], abs=0.001)
    assert Permit.objects.get().given_back_at is not None
    plan = Run.objects.get(pk=word.id).tool_plan
    assert plan is not None
    assert "Enforced by k6, on the resolved address: " in plan["enforced"][0]
    assert plan["bounded"] is True


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("dead", "failed: All "),
        ("garbage", "failed: No request was answered"),
        ("silent", "failed: No request was answered"),
        ("crossed", "failed: "),
        (
            "broken",
            'errored: k6 cannot load the script: level=error msg="SyntaxError: unexpected end of '
            "file at script.js:3",
        ),
    ],
)
def test_what_proves_nothing_never_passes(engineer: User, mode: str, expected: str) -> None:
    word = drive(begin(engineer, mode))
    assert outcome(word).startswith(expected)
    assert word.processes_left == 0
    assert ("lines of the tool made no sense" in word.log_tail) == (mode == "garbage")


def test_a_broken_threshold_is_told_with_its_measure_and_its_limit(engineer: User) -> None:
    word = drive(begin(engineer, thresholds=["p95 > 12ms", "errors > 1%"]))
    assert word.verdict is not None
    assert word.state == "failed"
    assert "limit 12 ms" in word.verdict["reason"]
    assert [check["held"] for check in word.verdict["checks"]] == [False, True]


def test_a_script_that_may_outlast_its_declared_duration_is_not_run(engineer: User) -> None:
    word = drive(begin(engineer, seconds=60, duration=timedelta(seconds=30)))
    assert word.state == "errored"
    assert "may take PT1M" in outcome(word)
    assert word.totals is None


def test_a_missing_tool_says_how_to_get_it(engineer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEDSYNC_K6", "/nowhere/k6")
    assert "./wedsync tools" in outcome(drive(begin(engineer)))


def test_the_declared_duration_is_a_hard_stop(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "ENDING_S", 1.0)
    run = begin(engineer, "stubborn", seconds=60, worst=1, duration=timedelta(seconds=2))
    word = drive(run)
    assert outcome(word).startswith("aborted: It reached its declared duration of 2 s")
    assert word.processes_left == 0
    assert word.totals is not None


def test_a_tool_that_floods_loses_no_request_and_is_still_stopped_in_time(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "ENDING_S", 1.0)
    run = begin(engineer, "flood", seconds=60, worst=1, duration=timedelta(seconds=2))
    word = drive(run)
    assert outcome(word).startswith("aborted: It reached its declared duration")
    assert word.totals is not None
    assert word.totals["requests"] > 10_000
    assert word.processes_left == 0


@pytest.mark.parametrize(
    ("mode", "patience", "said"),
    [
        (
            *("never_ready", "READY_S"),
            "errored: k6 was not ready within 1 s: ask for fewer users, or let the script prepare "
            "less; behind a fence no site answers it yet.",
        ),
        ("silent", "SILENT_S", "errored: k6 said nothing for 1 s"),
    ],
)
def test_a_tool_that_hangs_is_ended_and_explained(
    engineer: User, monkeypatch: pytest.MonkeyPatch, mode: str, patience: str, said: str
) -> None:
    monkeypatch.setattr(following, patience, 1.0)
    word = drive(begin(engineer, mode, seconds=20))
    assert outcome(word).startswith(said)
    assert word.processes_left == 0


def test_three_seconds_without_an_answer_of_the_calendar_are_a_no(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(engineer, seconds=20)
    thread = in_background(run)
    until(lambda: state(run) == "running", within=10, what="the start")

    def never(**words: Any) -> None:
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr(calendar_guard, "renew", never)
    thread.join(8)
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word).startswith("aborted: The wedding calendar did not answer for 3 s")
    assert word.processes_left == 0


def test_a_listener_that_is_away_does_not_stop_a_run(engineer: User, settings: Any) -> None:
    settings.WEDSYNC_VALKEY_URL = "redis://127.0.0.1:9/0"
    word = drive(begin(engineer, seconds=2))
    assert word.state == "passed"
    assert len(services.metrics(run_id=word.id)) >= 2


def test_a_run_whose_seconds_could_not_be_kept_says_so(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: fanout.Told) -> None:
        raise fanout.Undeliverable("out of range")

    monkeypatch.setattr(fanout, "keep_in", lambda _: refuse)
    word = drive(begin(engineer))
    assert word.state == "passed"
    assert "seconds could not be kept; the worker's log says why." in word.log_tail


def test_a_wedding_that_begins_stops_the_run_and_leaves_nothing_running(engineer: User) -> None:
    run = begin(engineer, seconds=25)
    thread = in_background(run)
    until(lambda: state(run) == "running", within=10, what="the start")
    group = Run.objects.get(pk=run.pk).process_group
    assert group is not None
    assert living.members(group)
    begin_a_wedding()
    until(lambda: state(run) == "aborted", within=20, what="the stop")
    thread.join(5)
    assert living.members(group) == []
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word).startswith("aborted: Stopped by calendar: 1 active wedding in progress")
    assert "Anna" not in str(word.as_json())
    assert word.processes_left == 0


def test_what_the_calendar_forbids_before_the_first_request_is_refused(engineer: User) -> None:
    run = begin(engineer)
    begin_a_wedding()
    word = drive(run)
    assert outcome(word).startswith("refused: 1 active wedding in progress")
    assert (word.state, word.started_at) == ("refused", None)
    assert word.calendar is not None
    assert word.calendar["safe"] is False
    assert "Anna" not in str(word.as_json())


@pytest.mark.parametrize("beats_between", [0, 1])
def test_a_no_of_the_last_look_sends_nothing_and_is_refused(
    engineer: User, monkeypatch: pytest.MonkeyPatch, beats_between: int
) -> None:
    run, look = begin(engineer), lease.Lease.begin_now

    def wedding_first(held: lease.Lease) -> None:
        if state(run) == "ready":
            begin_a_wedding()
            for _ in range(beats_between):
                look(held)
        look(held)

    monkeypatch.setattr(lease.Lease, "begin_now", wedding_first)
    word = drive(run)
    assert (word.state, word.started_at, word.totals) == ("refused", None, None)
    assert word.processes_left == 0


def test_whoever_may_stop_a_run_stops_it_and_is_named(engineer: User) -> None:
    run = begin(engineer, "stubborn", seconds=25)
    thread = in_background(run)
    until(run.snapshots.exists, within=10, what="the first second")
    assert services.stop(run_id=str(run.pk), by="ellen", now=clock.now()).state == "stopping"
    services.stop(run_id=str(run.pk), by="tom", now=clock.now())
    thread.join(10)
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word) == "aborted: Stopped by ellen: stop was pressed."
    assert word.processes_left == 0
    assert word.totals is not None


def test_a_run_whose_warden_was_killed_says_that_nobody_knows_what_is_left(engineer: User) -> None:
    run = begin(engineer, seconds=25)
    thread = in_background(run)
    until(run.snapshots.exists, within=15, what="the first second")
    os.kill(Run.objects.get(pk=run.pk).process_group or 0, signal.SIGKILL)
    thread.join(10)
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word) == "errored: k6 was killed, most often for want of memory."
    assert word.processes_left is None
    assert "so nobody knows what is left running: look on" in word.log_tail


def test_a_run_outlives_database_connections_that_are_cut(engineer: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connection that could be cut")
    run = begin(engineer, seconds=5)
    thread = in_background(run)
    until(lambda: state(run) == "running", within=10, what="the start")
    until(run.snapshots.exists, within=10, what="the first second")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert len(cursor.fetchall()) >= 2
    thread.join(20)
    word = services.get_run(run_id=str(run.pk))
    assert word.state == "passed", word.verdict
    assert word.totals is not None
    kept = sum(point["requests"] for point in services.metrics(run_id=word.id))
    assert kept == word.totals["requests"]


def press_stop(run: Run) -> None:
    services.stop(run_id=str(run.pk), by="ellen", now=clock.now())


def shut_the_worker_down(run: Run) -> None:
    following.shutting_down.set()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (press_stop, "aborted: Stopped by ellen: stop was pressed."),
        (lambda _: begin_a_wedding(), "refused: 1 active wedding in progress"),
        (shut_the_worker_down, "aborted: The worker was shut down"),
    ],
)
def test_a_script_that_never_ends_loading_is_ended_by_what_ends_a_run(
    engineer: User,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Run], None],
    reason: str,
) -> None:
    monkeypatch.setattr(following, "shutting_down", threading.Event())
    run = begin(engineer, "loops")
    thread = in_background(run)
    script = until(loading, within=10, what="the loading of the script")
    act(run)
    thread.join(3)
    assert outcome(services.get_run(run_id=str(run.pk))).startswith(reason)
    assert state(run) == reason.partition(":")[0]
    assert not living.members(script)


def test_a_dry_run_of_a_script_that_never_ends_loading_is_stopped(engineer: User) -> None:
    word = services.dry_run(by=engineer, request=request_for("loops"), now=clock.now())
    run = Run.objects.get(pk=word.id)
    thread = in_background(run)
    script = until(loading, within=10, what="the loading of the script")
    press_stop(run)
    thread.join(3)
    assert outcome(services.get_run(run_id=str(run.pk))) == "aborted: The dry run was stopped."
    assert not living.members(script)


def loading() -> int | None:
    """The k6 of this test's own worker that archives."""
    for pid in living.members(os.getpid()):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"archive" in words and b"-S" not in words:
                return pid
    return None


def test_a_fault_of_ours_beside_a_waiting_tool_ends_it_and_claims_no_proof(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no teller")

    monkeypatch.setattr(watch, "Teller", fail)
    word = drive(begin(engineer))
    assert outcome(word).startswith("errored: A fault of ours")
    assert word.processes_left is None


def test_a_run_that_no_worker_took_yet_is_stopped_at_once(engineer: User) -> None:
    run = begin(engineer)
    word = services.stop(run_id=str(run.pk), by="ellen", now=clock.now())
    assert word.state == "aborted"
    engine.execute(run.pk)
    assert state(run) == "aborted"
    assert calendar_guard.permits_in_force(now=clock.now()) == []


def test_two_workers_cannot_drive_one_run(engineer: User) -> None:
    run = begin(engineer, seconds=2)
    threads = [in_background(run) for _ in range(2)]
    for thread in threads:
        thread.join(20)
    assert state(run) == "passed"
    seconds = Snapshot.objects.filter(run=run).values_list("at", flat=True)
    assert len(seconds) == len(set(seconds))


def test_a_script_that_plans_more_than_its_target_allows_is_not_run(engineer: User) -> None:
    Target.objects.create(name="Small", hosts=["127.0.0.1"], max_users=1)
    run = begin(engineer)
    Target.objects.filter(name="Small").update(is_open=False)
    word = drive(run)
    assert outcome(word) == (
        "errored: Load tests may not reach 127.0.0.1: the target “Small” is closed. "
        "Ask ops why, and to open it."
    )


def test_no_secret_stays_of_a_run(engineer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name of an endpoint is `home`, so `home` is a secret here."""
    monkeypatch.setenv("WEDSYNC_SECRET_PLACE", "home")
    run = begin(engineer, secrets={"PLACE": "place"})
    drive(run)
    run.refresh_from_db()
    assert [one["name"] for one in run.endpoints] == ["[secret]"], run.verdict
    kept = [run.endpoints, run.metrics, run.log_tail, run.verdict, run.breaches, run.tool_plan]
    rows = [(row.data, bytes(row.cells)) for row in run.snapshots.all()]
    assert "home" not in str([kept, rows])


def test_a_permit_that_could_not_be_given_back_is_given_back_later(
    engineer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, give_back, tries = begin(engineer), calendar_guard.give_back, []

    def away_at_first(**words: Any) -> None:
        tries.append(words)
        if len(tries) == 1:
            raise DatabaseError("disk I/O error")
        give_back(**words)

    monkeypatch.setattr(calendar_guard, "give_back", away_at_first)
    assert drive(run).state == "passed"
    assert Permit.objects.get().given_back_at is not None
    assert run.pk not in fanout.open_streams()
