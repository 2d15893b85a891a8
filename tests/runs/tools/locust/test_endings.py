"""How a Locust that ran ended: its exit code, and what it alone does not tell."""

from pathlib import Path

import pytest

from runs.tools.locust.endings import explain
from tests.runs.tools.local import LocalRun, job_of, serve, tool_here

TABLES = """
Type     Name                    # reqs      # fails |    Avg
--------|-----------------------|-------|-------------|-------
Error report
# occurrences      Error
------------------|---------------------------------------------
"""
OWN_CODE = "wedsync: the exit code is the script's own: "
TASKS = (
    "wedsync: {} tasks of {} of {} users raised an error, {} came to their end, "
    "{} of {} requests failed{}\n"
)
JUDGE = """
import logging
from locust import FastHttpUser, HttpUser, constant, events, task

class Guest(HttpUser):
    wait_time = constant(0.1)

    @task
    def look(self):
        self.client.get("/")
        self.look_at_nobody()
        events.request.fire(request_type="", name="fine", response_time=2, response_length=0,
                            exception="")

    def look_at_nobody(self):
        with self.client.get("http://127.0.0.1:9/", name="nobody", catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure("not what was wanted")

class Fast(FastHttpUser):
    wait_time = constant(0.1)
    look = task(Guest.look_at_nobody)

@events.quitting.add_listener
def judge(environment, **_):
    if environment.stats.total.fail_ratio > 0.01:
        print("this is printed")
        logging.error("More than one guest in a hundred was turned away")
        environment.process_exit_code = 1
"""
BROKEN = """
from locust import HttpUser, constant, task

class Guest(HttpUser):
    wait_time = constant(0.1)

    @task
    def look(self):
        self.client.get("/")
        {}["token"]
"""
LEAVES = """
import sys
from locust import HttpUser, constant, task

class Guest(HttpUser):
    wait_time = constant(0.01)
    seen = 0

    @task
    def look(self):
        self.client.get("/")
        Guest.seen += 1
        if Guest.seen == 3:
            sys.exit("no table left")
"""


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (0, "finished", "Locust finished"),
        (-15, "stopped", "told to stop"),
        (1, "script_error", "ValueError: no luck"),
        (2, "script_error", "ValueError: no luck"),
        (3, "tool_error", "code 3"),
    ],
)
def test_an_exit_code_becomes_a_sentence(code: int, kind: str, words: str) -> None:
    ending = explain(code, "ValueError: no luck\nsomething later\n" + TABLES)
    assert ending.kind == kind
    assert words in ending.sentence


@pytest.mark.parametrize(
    ("said", "logged", "words"),
    [
        ("", "Too slow", "(exit code 3): Too slow"),
        ("something\nfail ratio was 0.5\n", "", "(exit code 3): fail ratio was 0.5"),
    ],
)
def test_a_script_that_sets_its_exit_code_judges_in_its_own_words(
    said: str, logged: str, words: str
) -> None:
    ending = explain(3, f"{said}{TABLES}{OWN_CODE}{logged}\n")
    assert ending.kind == "marked_failed"
    assert ending.sentence.endswith(words)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ([(70, 3, 3, 0, 0, 0)], "script_error"),
        ([(70, 3, 3, 0, 69, 70), (20, 2, 2, 0, 20, 20)], "script_error"),
        ([(70, 3, 3, 0, 0, 70), (0, 0, 0, 0, 0, 0)], "script_error"),  # one had no users
        ([(70, 3, 3, 1, 0, 70)], "finished"),
        ([(70, 3, 3, 0, 0, 70), (0, 0, 2, 5, 0, 20)], "finished"),
        ([(70, 1, 4, 0, 0, 80)], "finished"),  # the others were at work until the end
        ([(70, 3, 3, 0, 70, 70)], "finished"),  # the target is down, and that will be said
    ],
)
def test_a_test_whose_tasks_all_raised_is_no_good_one(
    told: list[tuple[int, ...]], kind: str
) -> None:
    errors = (": KeyError: 'token'" if numbers[0] else "" for numbers in told)
    lines = (TASKS.format(*numbers, error) for numbers, error in zip(told, errors, strict=True))
    ending = explain(0, TABLES + "".join(lines))
    assert ending.kind == kind
    assert ending.sentence.endswith("KeyError: 'token'") == (kind == "script_error")
    assert (str(sum(each[0] for each in told)) in ending.sentence) == (kind == "script_error")


def run_of(script: str, workdir: Path) -> tuple[LocalRun, int, int]:
    """With its exit code, and how many requests its site saw."""
    tool = tool_here("locust")
    with serve() as site:
        job = job_of(tool, script, workdir, target=site.url, seconds=4, users=2)
        with LocalRun(tool, job) as run:
            code = run.run_whole()
        return run, code, len(site.paths)


@pytest.mark.tool
def test_a_verdict_of_the_script_is_heard_and_its_print_logged(tmp_path: Path) -> None:
    run, code, seen = run_of(JUDGE, tmp_path)
    ending = explain(code, run.stderr)
    assert ending.kind == "marked_failed"
    assert ending.sentence.endswith("More than one guest in a hundred was turned away")
    assert "this is printed\n" in run.stderr
    looks = {each.name: each for each in run.aggregator.endpoints()}
    assert looks["GET /"].requests == seen
    assert looks["nobody"].errors == looks["nobody"].requests > looks["fine"].requests > 0
    assert looks["fine"].errors == 0
    assert looks["nobody"].quantile_ms(0.5) is None  # a refusal is no quick answer


@pytest.mark.tool
def test_tasks_that_all_raise_are_a_fault_of_the_script(tmp_path: Path) -> None:
    run, code, seen = run_of(BROKEN, tmp_path)
    assert (code, run.aggregator.totals().requests) == (0, seen), run.stderr
    ending = explain(code, run.stderr)
    assert ending.kind == "script_error"
    assert ending.sentence.endswith("raised an error: KeyError: 'token'")


@pytest.mark.tool
def test_what_was_requested_before_a_script_leaves_is_not_lost(tmp_path: Path) -> None:
    run, code, seen = run_of(LEAVES, tmp_path)
    assert explain(code, run.stderr).sentence.endswith("no table left")
    assert 3 <= run.aggregator.totals().requests <= seen
