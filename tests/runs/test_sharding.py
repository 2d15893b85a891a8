"""A run on several workers, which are threads here, each with a stand-in for k6."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models import QuerySet

import clock
from calendar_guard.models import Permit
from runs import engine, following, process, services, tasks
from runs.models import Run, Shard, ShardSecond, Snapshot
from runs.samples import cells
from runs.shards import link, sharding
from runs.shards.judging import Whole, merge_own
from runs.shards.merging import Merger
from runs.tools import Job, OwnVerdict, Tool
from tests.runs import driving
from tests.runs.conftest import begin_a_wedding, request_for
from tests.runs.driving import begin_thread, outcome, state
from tests.waiting import until

pytestmark = [
    pytest.mark.paced,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("valkey", "quiet_tuesday", "fake_k6"),
]


class Workers:
    """Carry the shards they are called for, but for those whose worker is a ghost."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.ghosts: set[int] = set()
        self.names: dict[int, str] = {}

    def call(self, shard_id: int) -> None:
        shard = Shard.objects.get(pk=shard_id)
        worker = self.names.get(shard.index, f"worker {shard.index}")
        if shard.index in self.ghosts:
            Shard.objects.filter(pk=shard_id).update(state="preparing", worker=worker, host="aisle")
            return
        self._start(lambda: sharding.execute(shard_id, worker=worker))

    def conduct(self, run: Run) -> threading.Thread:
        return self._start(lambda: engine.execute(run.pk, call_shard=self.call))

    def _start(self, act: Callable[[], None]) -> threading.Thread:
        self.threads.append(begin_thread(act))
        return self.threads[-1]


@pytest.fixture
def workers() -> Iterator[Workers]:
    found = Workers()
    yield found
    for thread in found.threads:
        thread.join(20)
        assert not thread.is_alive()


def begin(engineer: User, mode: str = "steady", seconds: float = 3, **words: Any) -> Run:
    return driving.begin(engineer, mode, seconds, **({"shards": 3} | words))


def drive(workers: Workers, run: Run) -> services.RunWord:
    engine.execute(run.pk, call_shard=workers.call)
    return services.get_run(run_id=str(run.pk))


def with_setup(mode: str = "steady", seconds: float = 2) -> str:
    return request_for(mode, seconds).script + "\nexport function setup() {}"


def ended(run: Run) -> list[tuple[str, str, int | None]]:
    parts = Shard.objects.filter(run=run)
    return list(parts.values_list("state", "outcome", "processes_left"))


def test_the_users_of_a_second_add_up_though_its_shards_ended_before_it_was_merged(
    engineer: User,
) -> None:
    run = begin(engineer)
    parts = [
        Shard.objects.create(run=run, index=index, worker=f"w{index}", state="ended")
        for index in range(3)
    ]
    for part, users in zip(parts, (5, 4, 3), strict=True):
        for at in (10, 11)[: 2 - part.index // 2]:  # the third has no users in its last second
            ShardSecond.objects.create(shard=part, at=at, users=users, cells=cells.pack({}))
    told = Merger(run).merge(parts, everything=True)
    assert [(second.at, second.users) for second in told] == [(10, 12), (11, 9)]


def test_three_shards_make_one_run_with_one_verdict(engineer: User, workers: Workers) -> None:
    run = begin(engineer, thresholds=["p95 > 1s", "requests of home < 1 for 1s"])
    word = drive(workers, run)
    assert word.state == "passed", word.verdict
    assert ended(run) == [("ended", "", 0)] * 3
    assert word.processes_left == 0
    assert word.totals is not None
    seconds = services.metrics(run_id=word.id)
    assert sum(second["requests"] for second in seconds) == word.totals["requests"]
    # Each shard makes 16 of the 50 requests a second, and has 5 users.
    assert 80 < word.totals["requests"] <= 3 * 3 * 16
    assert max(second["users"] or 0 for second in seconds) == 15
    assert word.totals["p95_ms"] == pytest.approx(10, rel=0.01)
    assert len({second["at"] for second in seconds}) == len(seconds)
    assert ShardSecond.objects.count() == 0
    assert Permit.objects.get().given_back_at is not None
    assert word.tool_version == "1.8.1"


def test_the_setup_runs_once_and_its_data_reach_every_shard(
    engineer: User, workers: Workers
) -> None:
    run = begin(engineer, script=with_setup())
    word = drive(workers, run)
    assert word.state == "passed", word.verdict
    tails = [part.log_tail for part in Shard.objects.filter(run=run)]
    assert ["asked for /v1/setup" in tail for tail in tails] == [True, False, False]
    # The first made the data; it is told them for the teardown, in a k6 of its own.
    assert ["asked for /v1/teardown" in tail for tail in tails] == [True, False, False]
    assert [tail.count('told {"made by":') for tail in tails] == [1, 1, 1]
    assert all(part.setup is None for part in Shard.objects.filter(run=run))
    assert "[shard 3 on " in word.log_tail


def test_a_setup_that_throws_is_told_without_the_secret_that_it_quotes(
    engineer: User, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEDSYNC_SECRET_PLACE", "home")
    run = begin(engineer, script=with_setup("throws"), secrets={"PLACE": "place"})
    word = drive(workers, run)
    assert "setup() of the script failed: Error: 401 for [secret]" in outcome(word)
    kept = [*Shard.objects.values_list("why", flat=True), word.as_json()]
    assert "home" not in str(kept)


def test_a_script_without_setup_is_asked_for_none(engineer: User, workers: Workers) -> None:
    assert "asked for" not in drive(workers, begin(engineer, seconds=1)).log_tail


def test_a_shard_that_breaks_ends_all(engineer: User, workers: Workers) -> None:
    run = begin(engineer, "breaks", seconds=4, worst=30)
    word = drive(workers, run)
    assert outcome(word).startswith("errored: Shard ")
    assert "k6 crashed: " in outcome(word)
    assert word.processes_left == 0


def test_a_shard_that_ends_before_the_test_begins_keeps_no_other_waiting(
    engineer: User, workers: Workers
) -> None:
    word = drive(workers, begin(engineer, "leaves"))
    assert outcome(word).startswith("errored: Shard 1 on ")
    assert outcome(word).endswith(": it ended before the test began; its log says why.")
    assert (word.started_at, word.processes_left) == (None, 0)


def test_a_fault_of_ours_leaves_no_shard_a_tool_that_waits_for_ever(
    engineer: User, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[process.ToolProcess] = []

    def fail(tool: Tool, job: Job, child: process.ToolProcess, why_stop: object) -> None:
        children.append(child)
        raise RuntimeError("no follower")

    monkeypatch.setattr(sharding, "Follower", fail)
    word = drive(workers, begin(engineer))
    assert outcome(word).startswith("errored: Shard ")
    assert word.processes_left is None
    assert children
    assert all(child.exit_code is not None for child in children)


def test_a_worker_that_goes_silent_ends_all_and_is_named(engineer: User, workers: Workers) -> None:
    workers.ghosts = {1}
    run = begin(engineer, seconds=20)
    word = drive(workers, run)
    assert outcome(word) == (
        "errored: Shard 2 on aisle went silent, so all were stopped. "
        "Look on aisle for processes left."
    )
    assert word.processes_left is None
    assert [row[0] for row in ended(run)] == ["ended"] * 3


def test_one_worker_carries_one_shard_and_too_few_are_said(
    engineer: User, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "READY_S", 3.0)
    workers.names = {2: "worker 1"}
    word = drive(workers, begin(engineer))
    assert outcome(word) == (
        "errored: 2 of 3 workers came within 3 s; start more workers for the queue “run”, or ask "
        "for fewer shards."
    )
    assert word.totals is None
    assert word.processes_left == 0


def test_whoever_stops_the_run_stops_every_shard_and_is_named(
    engineer: User, workers: Workers
) -> None:
    run = begin(engineer, "stubborn", seconds=25)
    thread = workers.conduct(run)
    until(lambda: Snapshot.objects.filter(run=run).exists(), within=15, what="the first second")
    services.stop(run_id=str(run.pk), by="ellen", now=clock.now())
    thread.join(12)
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word) == "aborted: Stopped by ellen: stop was pressed."
    assert ended(run) == [("ended", "aborted", 0)] * 3
    assert word.processes_left == 0
    assert word.totals is not None


def test_a_script_that_never_ends_loading_is_ended_in_every_shard(
    engineer: User, workers: Workers
) -> None:
    run = begin(engineer, "loops")
    thread = workers.conduct(run)
    at_it = Shard.objects.filter(run=run, state="preparing")
    until(lambda: at_it.count() == 3, within=10, what="the shards")
    services.stop(run_id=str(run.pk), by="ellen", now=clock.now())
    thread.join(5)
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word) == "aborted: Stopped by ellen: stop was pressed."
    assert ended(run) == [("ended", "aborted", 0)] * 3


def test_a_wedding_stops_every_shard(engineer: User, workers: Workers) -> None:
    run = begin(engineer, seconds=25)
    thread = workers.conduct(run)
    until(lambda: state(run) == "running", within=15, what="the start")
    begin_a_wedding()
    until(lambda: state(run) == "aborted", within=8, what="the stop")
    thread.join(5)
    assert "Stopped by calendar: 1 active wedding" in outcome(services.get_run(run_id=str(run.pk)))
    assert ended(run) == [("ended", "aborted", 0)] * 3


def test_a_shard_whose_warden_was_killed_makes_what_is_left_of_the_run_unknown(
    engineer: User, workers: Workers
) -> None:
    run = begin(engineer, seconds=25)
    thread = workers.conduct(run)
    until(lambda: state(run) == "running", within=15, what="the start")
    os.kill(Shard.objects.filter(run=run)[1].process_group or 0, signal.SIGKILL)
    thread.join(20)
    word = services.get_run(run_id=str(run.pk))
    assert outcome(word).startswith("errored: ")
    assert sorted(map(str, (left for _, _, left in ended(run)))) == ["0", "0", "None"]
    assert word.processes_left is None


def test_shards_whose_conductor_is_gone_end_themselves(engineer: User, workers: Workers) -> None:
    run, now = begin(engineer), clock.real_now()
    conducted, ready = Run.objects.filter(pk=run.pk), Shard.objects.filter(state="ready")

    def beat_and_look() -> bool:
        conducted.update(state="preparing", heartbeat_at=clock.real_now(), host="aisle")
        return ready.exists()

    shard = Shard.objects.create(run=run, index=0)
    assert not beat_and_look()
    workers.call(shard.pk)
    until(beat_and_look, within=15, what="the shard", every=0.2)
    until(lambda: not ready.exists(), within=15, what="its end")
    shard = Shard.objects.get()
    assert (shard.outcome, shard.processes_left) == ("errored", 0)
    assert shard.why.startswith("The worker that conducts the run said nothing for 2.5 s")
    conducted.update(heartbeat_at=now - timedelta(seconds=60))
    tasks.sweep()
    assert state(run) == "lost"


@pytest.mark.parametrize("lost", [{"state": "ready"}, {"state": "running"}])
def test_a_shard_ends_with_a_reason_where_the_database_takes_no_word_of_it(
    engineer: User, workers: Workers, monkeypatch: pytest.MonkeyPatch, lost: dict[str, str]
) -> None:
    update = QuerySet.update

    def away(rows: QuerySet[Shard], **facts: object) -> int:
        if rows.model is Shard and lost.items() <= facts.items():
            monkeypatch.setattr(link, "ANSWER_S", -1.0)
            raise OperationalError("the connection is gone")
        return update(rows, **facts)

    monkeypatch.setattr(QuerySet, "update", away)
    word = drive(workers, begin(engineer, shards=2))
    assert outcome(word).startswith("errored: ")
    assert "The database did not answer for" in outcome(word)
    assert {left for _, _, left in ended(Run.objects.get())} == {0}


def test_a_shard_of_a_run_that_is_over_is_left_alone(engineer: User, workers: Workers) -> None:
    run = begin(engineer)
    shard = Shard.objects.create(run=run, index=0)
    services.stop(run_id=str(run.pk), by="ellen", now=clock.now())
    sharding.execute(shard.pk, worker="late")
    assert Shard.objects.get().state == "waiting"


def test_thresholds_of_the_script_are_judged_on_the_whole(engineer: User, workers: Workers) -> None:
    word = drive(workers, begin(engineer, "crossed", seconds=1))
    assert word.verdict is not None
    assert word.state == "passed"
    assert word.verdict["checks"] == [
        {"text": "k6: http_req_duration max<15", "measured": "held", "held": True}
    ]


def test_what_one_shard_crossed_is_crossed_and_what_all_held_proves_nothing() -> None:
    parts = [
        Shard(own=[["p95 < 5", True], ["errors < 1", True]]),
        Shard(own=[["p95 < 5", True], ["errors < 1", False]]),
    ]
    assert merge_own(parts) == [OwnVerdict("p95 < 5", None), OwnVerdict("errors < 1", False)]


def test_no_file_that_a_script_spoils_hides_a_threshold_of_its_plan() -> None:
    run = Run(tool="k6", tool_plan={"thresholds": ["http_reqs count>1"] * 2})
    (own,) = Whole(run).verdicts([Shard(own=[])], {}, 1.0)
    assert own == OwnVerdict("http_reqs count>1", False)
