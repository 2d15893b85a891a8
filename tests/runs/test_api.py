"""The REST API of runs, plans, schedules and targets, over its addresses."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from audit import services as audit
from runs.models import Plan, Run, Target
from tests.conftest import MoveClock
from tests.runs.callers import SOUND, caller, problem, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "quiet_tuesday")]

SATURDAY = datetime.fromisoformat("2026-06-13T14:00:00+01:00")
RICH = SOUND | {
    "users": 20,
    "thresholds": ["p95 > 800ms"],
    "files": {"data/guests.csv": "name,seat\n", "photo.jpg": "base64:/9j/"},
    "variables": {"GUESTS": "200"},
    "secrets": {"API_TOKEN": "guest-api"},
    "hosts": {"shop.example": "127.0.0.1:9000"},
    "tags": [" RSVP ", "nightly", "rsvp"],
    "notes": "first try",
}


@pytest.fixture
def api() -> APIClient:
    return caller()


def start(api: APIClient, **words: Any) -> Any:
    answer = send(api, "post", "runs", SOUND | words)
    assert answer.status_code == 202, answer.content
    return answer.json()


def add_plan(api: APIClient, **words: Any) -> Any:
    answer = send(api, "post", "plans", SOUND | words)
    assert answer.status_code == 201, answer.content
    return answer.json()


def over(run: Any, **facts: Any) -> None:
    """As its worker would have left it."""
    totals = {"requests": 100, "errors": 0, "error_rate": 0.0, "rps": 10.0, "seconds": 10}
    Run.objects.filter(pk=run["id"]).update(**({"state": "passed", "totals": totals} | facts))


def names(answer: Any) -> list[str]:
    return [run["name"] for run in answer.json()["runs"]]


def test_a_run_keeps_every_word_that_it_was_asked_with(api: APIClient) -> None:
    run = Run.objects.get(pk=start(api, **RICH)["id"])
    for name in ("files", "variables", "secrets", "hosts", "thresholds", "notes", "users"):
        assert getattr(run, name) == RICH[name]
    assert run.tags == ["rsvp", "nightly"]


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"files": {"../etc/passwd": "x"}}, "files", "is no path of a file"),
        ({"files": ["guests.csv"]}, "files", "an object of texts"),
        ({"variables": {"GUESTS": 200}}, "variables", "an object of texts"),
        ({"name": "a\x07b"}, "name", "one line of text"),
        ({"variables": {"LD_PRELOAD": "x"}}, "variables", "choose another"),
        ({"variables": {"ARTILLERY_CONFIG": "x"}}, "variables", "choose another"),
        ({"secrets": {"TOKEN": "no name!"}}, "secrets", "never the value"),
        ({"hosts": {"shop.example": "10.0.0.1"}}, "target", "may not reach"),
        ({"ca": "no certificate"}, "ca", "PEM"),
        ({"tags": ["<b>"]}, "tags", "is no tag"),
        ({"tags": "rsvp"}, "tags", "list of words"),
        ({"shards": 0}, "shards", "on 1 to 100 workers"),
        ({"shards": 101}, "shards", "on 1 to 100 workers"),
        ({"dry_run": "perhaps"}, "dry_run", "boolean"),
    ],
)
def test_a_word_that_makes_no_sense_is_named(
    api: APIClient, words: dict[str, Any], field: str, said: str
) -> None:
    assert said in str(problem(send(api, "post", "runs", SOUND | words))["errors"][field])
    assert not Run.objects.exists()


def test_a_plan_is_started_with_what_shall_be_different_this_time(api: APIClient) -> None:
    plan = add_plan(api, **RICH)
    answer = send(api, "post", "runs", {"plan": plan["id"], "duration": "PT5M", "users": 3})
    run = Run.objects.get(pk=answer.json()["id"])
    assert (run.plan_id, run.duration, run.users) == (int(plan["id"]), timedelta(minutes=5), 3)
    assert run.files == RICH["files"]


def test_a_dry_run_starts_nothing_and_is_allowed_on_a_saturday(
    api: APIClient, move_clock: MoveClock
) -> None:
    move_clock(SATURDAY)
    run = start(api, dry_run=True)
    assert (run["state"], run["is_dry"]) == ("requested", True)
    assert run["calendar"]["safe"] is False
    assert Run.objects.get(pk=run["id"]).permit_id is None


def test_a_second_test_of_a_busy_site_is_told_its_place_in_the_queue(api: APIClient) -> None:
    start(api)
    run = start(api, name="second")
    assert (run["state"], run["queue_position"]) == ("queued", 1)


def test_runs_are_filtered_by_tag_plan_and_text_and_read_page_by_page(api: APIClient) -> None:
    plan = add_plan(api)
    for number in range(3):
        start(api, name=f"rush {number}", tags=["nightly"] if number else [])
    send(api, "post", "runs", {"plan": plan["id"], "name": "of the plan"})
    assert names(send(api, "get", "runs?tag=nightly")) == ["rush 2", "rush 1"]
    assert names(send(api, "get", f"runs?plan={plan['id']}")) == ["of the plan"]
    page = send(api, "get", "runs?text=RUSH&limit=2")
    assert names(page) == ["rush 2", "rush 1"]
    rest = api.get(page.json()["next"])
    assert names(rest) == ["rush 0"]
    assert rest.json()["next"] is None


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("state=walking", "state", "choose requested"),
        ("tool=hammer", "tool", "choose k6"),
        ("limit=0", "limit", "from 1 to 500"),
        ("limit=501", "limit", "from 1 to 500"),
        ("before=x", "before", "whole number"),
        (f"limit={'0' * 19}1000", "limit", "from 1 to 500"),
        ("stat=passed", "stat", "known are state"),
        ("text=%00", "text", "zero byte"),
    ],
)
def test_a_wrong_question_is_told_what_to_write(
    api: APIClient, query: str, field: str, said: str
) -> None:
    assert said in problem(send(api, "get", f"runs?{query}"))["errors"][field][0]


def test_tags_and_notes_are_written_beside_a_run_that_is_over(api: APIClient) -> None:
    run = start(api, tags=["nightly"])
    over(run)
    answer = send(api, "patch", f"runs/{run['id']}", {"notes": "new cache\nwas on"})
    assert answer.json()["notes"] == "new cache\nwas on"
    assert answer.json()["tags"] == ["nightly"]
    problem(send(api, "patch", f"runs/{run['id']}", {"state": "passed"}))
    problem(send(api, "patch", "runs/99", {"notes": ""}), 404)


def test_a_stop_says_why_and_the_moves_say_who(api: APIClient) -> None:
    run = start(api)
    answer = send(api, "post", f"runs/{run['id']}/stop", {"why": "wrong target"})
    assert answer.status_code == 202
    moves = send(api, "get", f"runs/{run['id']}/moves").json()["moves"]
    assert [(move["from"], move["to"], move["by"]) for move in moves] == [
        (None, "requested", "mara"),
        ("requested", "aborted", "mara"),
    ]
    assert "wrong target" in moves[-1]["why"]


def test_everything_is_stopped_or_one_site(api: APIClient) -> None:
    here, there = start(api), start(api, target="http://127.0.0.1:9001")
    answer = send(api, "post", "runs/stop", {"site": "127.0.0.1:9001", "why": "too hot"})
    assert [run["id"] for run in answer.json()["runs"]] == [there["id"]]
    answer = send(api, "post", "runs/stop")
    assert [run["id"] for run in answer.json()["runs"]] == [here["id"]]
    assert send(api, "post", "runs/stop").json() == {"runs": []}


def test_metrics_come_in_three_widths(api: APIClient) -> None:
    run = start(api)
    for width in (1, 10, 60):
        assert send(api, "get", f"runs/{run['id']}/metrics?width={width}").json() == {"points": []}
    said = problem(send(api, "get", f"runs/{run['id']}/metrics?width=7"))["detail"]
    assert "1, 10 and 60" in said
    said = problem(send(api, "get", f"runs/{run['id']}/metrics?widht=10"))["detail"]
    assert said == "widht: There is no such word; known are width."


def test_a_word_of_the_body_in_the_address_starts_nothing(api: APIClient) -> None:
    said = problem(send(api, "post", "runs?dry_run=true", SOUND))["detail"]
    assert said == "dry_run: There is no such word here."
    assert not Run.objects.exists()


def test_two_runs_are_compared_in_words(api: APIClient) -> None:
    ids = [start(api)["id"] for _ in "ab"]
    words = send(api, "get", f"runs/compare?a={ids[0]}&b={ids[1]}").json()
    assert [run["id"] for run in words["runs"]] == ids
    assert words["summary"].startswith(f"Run {ids[1]} against run {ids[0]}")
    problem(send(api, "get", f"runs/compare?a={ids[0]}"))
    problem(send(api, "get", f"runs/compare?a={ids[0]}&b={ids[0]}"))
    problem(send(api, "get", f"runs/compare?a={ids[0]}&b=99"), 404)


def test_a_plan_is_read_whole_and_changed_word_by_word(api: APIClient) -> None:
    plan = add_plan(api, **RICH)
    read = send(api, "get", f"plans/{plan['id']}").json()
    assert read == plan
    assert [one["id"] for one in send(api, "get", "plans").json()["plans"]] == [plan["id"]]
    assert (read["script"], read["files"]) == (RICH["script"], RICH["files"])
    changed = send(api, "patch", f"plans/{plan['id']}", {"duration": "PT9M"}).json()
    assert changed == plan | {"duration": "PT9M"}
    (entry,) = audit.entries(action="change")
    assert entry.data == {"changed": ["duration"]}


def test_a_plan_cannot_be_changed_into_what_is_no_test(api: APIClient) -> None:
    plan = add_plan(api)
    said = problem(send(api, "patch", f"plans/{plan['id']}", {"target": "http://10.0.0.1"}))
    assert "may not reach" in said["errors"]["target"][0]
    assert send(api, "get", f"plans/{plan['id']}").json() == plan


def test_a_deleted_plan_leaves_its_runs(api: APIClient) -> None:
    plan = add_plan(api)
    run = send(api, "post", "runs", {"plan": plan["id"]}).json()
    assert send(api, "delete", f"plans/{plan['id']}").status_code == 204
    problem(send(api, "get", f"plans/{plan['id']}"), 404)
    problem(send(api, "delete", f"plans/{plan['id']}"), 404)
    assert send(api, "get", f"runs/{run['id']}").json()["plan"] is None


def test_a_plan_that_is_still_scheduled_is_not_deleted(api: APIClient) -> None:
    plan = add_plan(api)
    schedule = send(api, "post", "schedules", {"plan": plan["id"]}).json()
    said = problem(send(api, "delete", f"plans/{plan['id']}"), 409)
    assert f"DELETE /api/load-testing/schedules/{schedule['id']}" in said["detail"]
    assert send(api, "delete", f"schedules/{schedule['id']}").status_code == 200
    assert send(api, "delete", f"plans/{plan['id']}").status_code == 204
    assert not Plan.objects.exists()


def test_a_plan_has_a_baseline_and_a_trend(api: APIClient) -> None:
    plan = add_plan(api)
    run = send(api, "post", "runs", {"plan": plan["id"]}).json()
    address = f"plans/{plan['id']}/baseline"
    assert "no figures" in problem(send(api, "put", address, {"run": run["id"]}))["detail"]
    over(run, started_at=SATURDAY)
    assert send(api, "put", address, {"run": run["id"]}).json()["baseline"] == run["id"]
    (point,) = send(api, "get", f"plans/{plan['id']}/trend").json()["points"]
    assert (point["run"], point["is_baseline"], point["requests"]) == (run["id"], True, 100)
    assert send(api, "put", address, {"run": None}).json()["baseline"] is None


def test_a_schedule_starts_a_plan_again_and_again_until_it_is_cancelled(api: APIClient) -> None:
    plan = add_plan(api)
    words = {
        "plan": plan["id"],
        "starts_at": "2026-06-10T10:00:00+01:00",
        "rule": "FREQ=WEEKLY;BYDAY=WE",
        "zone": "Europe/London",
    }
    made = send(api, "post", "schedules", words)
    assert made.status_code == 201, made.content
    schedule = made.json()
    assert schedule["next_at"] == "2026-06-10T09:00:00+00:00"
    assert send(api, "get", "schedules").json() == {"schedules": [schedule]}
    run = send(api, "get", f"runs/{schedule['run']}").json()
    assert (run["state"], run["scheduled_for"]) == ("scheduled", schedule["next_at"])
    ended = send(api, "delete", f"schedules/{schedule['id']}").json()
    assert "Cancelled by mara" in ended["ended_why"]
    assert send(api, "get", f"runs/{run['id']}").json()["state"] == "aborted"


def test_a_start_on_a_saturday_cannot_be_scheduled(api: APIClient) -> None:
    words = {"plan": add_plan(api)["id"], "starts_at": SATURDAY.isoformat()}
    said = problem(send(api, "post", "schedules", words), 409)
    assert "Saturday wedding day protection" in said["detail"]
    assert said["next_safe_window"]["start"] == "2026-06-15T07:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"plan": "77"}, "plan"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"rule": "FREQ=WEEKLY"}, "starts_at"),
        ({"starts_at": "2026-06-10T10:00:00Z", "rule": "every day"}, "rule"),
        ({"starts_at": "2026-06-10T10:00:00Z", "zone": "Mars"}, "zone"),
    ],
)
def test_a_wrong_word_of_a_schedule_is_named(
    api: APIClient, words: dict[str, str], field: str
) -> None:
    plan = add_plan(api)
    assert field in problem(send(api, "post", "schedules", {"plan": plan["id"]} | words))["errors"]


def test_targets_are_read_with_their_caps(api: APIClient) -> None:
    Target.objects.create(name="stage", hosts=["*.stage.example"], max_users=50)
    found = {one["name"]: one for one in send(api, "get", "targets").json()["targets"]}
    assert found["stage"]["hosts"] == ["*.stage.example"]
    assert (found["stage"]["max_users"], found["stage"]["max_duration"]) == (50, "P1D")


def test_more_than_a_script_may_bring_along_is_not_read(api: APIClient) -> None:
    body = SOUND | {"files": {"a": "x" * 26_000_000}}
    assert "26 million bytes" in problem(send(api, "post", "runs", body), 413)["detail"]


def test_a_file_of_several_megabytes_is(api: APIClient) -> None:
    run = start(api, files={"guests.csv": "name,seat\n" * 500_000})
    assert len(Run.objects.get(pk=run["id"]).files["guests.csv"]) == 5_000_000


@pytest.mark.parametrize(
    ("verb", "address"),
    [
        *(("post", "runs"), ("post", "runs/1/stop"), ("post", "runs/stop"), ("patch", "runs/1")),
        *(("post", "plans"), ("patch", "plans/1"), ("delete", "plans/1")),
        *(("put", "plans/1/baseline"), ("post", "schedules"), ("delete", "schedules/1")),
    ],
)
def test_a_viewer_changes_nothing(verb: str, address: str) -> None:
    viewer = caller("view_run", "view_plan", "view_schedule", "view_target", name="rita")
    problem(send(viewer, verb, address, {}), 403)
