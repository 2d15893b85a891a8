from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

import clock
from runs import engine, fanout, services, tasks
from runs.models import Run, Target
from runs.outcome import Outcome
from runs.waiting import queue
from tests.conftest import MoveClock
from tests.runs.callers import SOUND, caller, send
from tests.runs.conftest import request_for
from tests.runs.driving import begin_thread

SATURDAY = datetime.fromisoformat("2026-06-13T14:00:00+01:00")
FRIDAY_NIGHT = datetime.fromisoformat("2026-06-12T22:30:00+01:00")

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "quiet_tuesday")]


@pytest.fixture
def api() -> APIClient:
    return caller()


def post(api: APIClient, key: str = "", **words: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return send(api, "post", "runs", SOUND | words, **headers)


def test_a_test_is_accepted_with_its_links(api: APIClient) -> None:
    answer = post(api, users=20, thresholds=["p95 > 800ms"])
    assert answer.status_code == 202
    run = answer.json()
    assert run["state"] == "requested"
    assert isinstance(run["id"], str)
    assert answer["Location"] == run["links"]["self"]
    assert api.get(run["links"]["self"]).json() == run
    assert run["calendar"]["safe"] is True


def test_a_saturday_is_refused_with_the_blockers_and_the_next_safe_window(
    api: APIClient, move_clock: MoveClock
) -> None:
    move_clock(SATURDAY)
    answer = post(api)
    problem = answer.json()
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert "Saturday wedding day protection" in problem["detail"]
    assert problem["blockers"][0]["rule"] == "protected_weekday"
    assert problem["next_safe_window"]["start"] == "2026-06-15T07:00:00+00:00"
    kept = api.get(f"/api/load-testing/runs/{problem['run']}").json()
    assert kept["state"] == "refused"
    assert kept["verdict"]["outcome"] == "refused"


def test_a_run_that_would_reach_into_saturday_is_refused_on_friday(
    api: APIClient, move_clock: MoveClock
) -> None:
    move_clock(FRIDAY_NIGHT)
    assert post(api, duration="PT30M").status_code == 202
    answer = post(api, duration="PT2H")
    assert answer.status_code == 409
    assert "Saturday" in answer.json()["detail"]


def test_one_key_starts_one_run(api: APIClient) -> None:
    first, second = post(api, key="a1").json(), post(api, key="a1").json()
    assert first["id"] == second["id"]
    assert Run.objects.count() == 1


def test_a_key_of_another_test_is_refused(api: APIClient) -> None:
    post(api, key="a1")
    answer = post(api, key="a1", duration="PT3M")
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_key_reused"


def test_a_key_stays_that_of_its_run_when_its_tags_and_notes_are_written(api: APIClient) -> None:
    first = post(api, key="a1", tags=["nightly"]).json()
    services.annotate(
        run_id=first["id"], by="ellen", now=clock.now(), tags=["rsvp"], notes="slow disk"
    )
    assert post(api, key="a1", tags=["nightly"]).json()["id"] == first["id"]


def test_a_key_answers_with_its_run_though_its_target_was_closed_since(api: APIClient) -> None:
    first = post(api, key="a1").json()
    Target.objects.update(is_open=False)
    answer = post(api, key="a1")
    assert (answer.status_code, answer.json()["id"]) == (202, first["id"])
    assert post(api, key="a2").status_code == 400


def test_a_refusal_does_not_use_the_key_up(api: APIClient, move_clock: MoveClock) -> None:
    move_clock(SATURDAY)
    assert post(api, key="a1").status_code == 409
    move_clock(SATURDAY + timedelta(days=3))
    assert post(api, key="a1").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_with_one_key_are_one_run(engineer: User) -> None:
    found: list[str] = []

    def work() -> None:
        word = services.start(by=engineer, request=request_for(), now=clock.now(), key="race")
        found.append(word.id)

    for thread in [begin_thread(work) for _ in range(4)]:
        thread.join(20)
    assert len(found) == 4
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"tool": "jmeter"}, "tool", "choose one of: k6"),
        ({"target": "ftp://x"}, "target", "http://127.0.0.1:9000"),
        ({"target": "http://10.0.0.1/"}, "target", "may not reach 10.0.0.1; allowed"),
        ({"target": "http://[::1"}, "target", "is no target"),
        ({"target": "http://bob:s3cret@127.0.0.1"}, "target", "must not hold a password"),
        ({"key": "k" * 201}, "Idempotency-Key", "at most 200"),
        ({"duration": "90"}, "duration", "ISO 8601"),
        ({"duration": "PT0S"}, "duration", "between"),
        ({"duration": "P2D"}, "duration", "between"),
        ({"script": "  "}, "script", "empty"),
        ({"thresholds": ["p95 faster"]}, "thresholds", ""),
        ({"users": 0}, "users", "1"),
        ({"sript": "x"}, "sript", "no such word"),
        ({"name": ""}, "name", "blank"),
    ],
)
def test_a_wrong_word_is_named_and_explained(
    api: APIClient, words: dict[str, Any], field: str, said: str
) -> None:
    answer = post(api, **words)
    assert answer.status_code == 400
    assert said in str(answer.json()["errors"][field])
    assert Run.objects.count() == 0


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("path", ["runs", "runs/1/metrics", "runs/1/stop", "plans", "targets"])
def test_a_method_that_is_not_there_is_405(api: APIClient, method: str, path: str) -> None:
    answer = getattr(api, method)(f"/api/load-testing/{path}", {}, format="json")
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


def test_an_address_that_is_not_there_is_a_problem_document(api: APIClient) -> None:
    answer = api.get("/api/load-testing/nope")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_an_end_that_got_lost_is_told_by_the_sweep(engineer: User) -> None:
    word = services.start(by=engineer, request=request_for(), now=clock.now())
    verdict = {"outcome": "passed", "reason": "fine", "checks": []}
    Run.objects.filter(pk=word.id).update(state="passed", verdict=verdict)
    assert int(word.id) in fanout.open_streams()
    tasks.sweep()
    assert int(word.id) not in fanout.open_streams()


def test_an_unknown_id_is_a_problem_that_says_where_to_look(api: APIClient) -> None:
    for path in ("runs/999", "runs/x", "runs/9999999999999999999", "runs/1/metrics"):
        answer = api.get(f"/api/load-testing/{path}")
        assert answer.status_code == 404, path
        assert "GET /api/load-testing/runs" in answer.json()["detail"]


def test_an_unknown_plan_is_named(api: APIClient) -> None:
    answer = api.post("/api/load-testing/runs", {"plan": "77"}, format="json")
    assert answer.status_code == 400
    assert "no plan '77'" in answer.json()["detail"]


def test_who_may_only_read_cannot_start_or_stop(api: APIClient) -> None:
    run = post(api).json()
    reader = APIClient()
    user = User.objects.create_user("rita")
    reader.force_authenticate(user)
    assert reader.get("/api/load-testing/runs").status_code == 403
    assert reader.post(run["links"]["self"] + "/stop").status_code == 403
    assert post(APIClient()).status_code == 401


def test_stopping_twice_is_the_same_as_once(api: APIClient) -> None:
    run = post(api).json()
    for _ in range(2):
        answer = api.post(run["links"]["self"] + "/stop")
        assert answer.status_code == 202
        assert answer.json()["state"] == "aborted"


def test_a_run_whose_worker_went_silent_is_lost_and_its_permit_given_back(
    engineer: User,
) -> None:
    word = services.start(by=engineer, request=request_for(), now=clock.now())
    Run.objects.filter(pk=word.id).update(
        state="running", host="elsewhere", heartbeat_at=clock.real_now() - timedelta(seconds=11)
    )
    tasks.sweep()
    run = services.get_run(run_id=word.id)
    assert run.state == "lost"
    assert run.verdict is not None
    assert "elsewhere" in run.verdict["reason"]
    last = services.list_moves(run_id=word.id)[-1]
    assert last.to == "lost"
    assert "elsewhere went silent" in last.why
    tasks.sweep()
    assert services.get_run(run_id=word.id) == run


def test_what_breaks_in_a_sweep_keeps_nothing_else_waiting(
    engineer: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    words = [services.start(by=engineer, request=request_for(), now=clock.now()) for _ in range(2)]
    Run.objects.filter(pk__in=[word.id for word in words]).update(
        state="running", host="elsewhere", heartbeat_at=clock.real_now() - timedelta(seconds=11)
    )
    finish = engine.finish

    def finish_but_one(run: Run, outcome: Outcome) -> bool:
        if str(run.pk) == words[0].id:
            raise KeyError("nobody foresaw this")
        return finish(run, outcome)

    monkeypatch.setattr(engine, "finish", finish_but_one)
    monkeypatch.setattr(queue, "let_in", finish_but_one)
    tasks.sweep()
    assert services.get_run(run_id=words[1].id).state == "lost"
    assert int(words[1].id) not in fanout.open_streams()
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert any(text.startswith(f"burying run {words[0].id}:") for text in told), told
    assert any(text.startswith("the sweep's let_in:") for text in told), told


def test_a_fresh_run_is_not_swept(engineer: User) -> None:
    word = services.start(by=engineer, request=request_for(), now=clock.now())
    Run.objects.filter(pk=word.id).update(state="running")
    tasks.sweep()
    assert services.get_run(run_id=word.id).state == "running"


def test_runs_are_listed_newest_first_and_filtered(api: APIClient) -> None:
    ids = [post(api, name=name).json()["id"] for name in ("one", "two")]
    api.post(f"/api/load-testing/runs/{ids[0]}/stop")
    listed = api.get("/api/load-testing/runs").json()["runs"]
    assert [run["id"] for run in listed] == ids[::-1]
    aborted = api.get("/api/load-testing/runs?state=aborted").json()["runs"]
    assert [run["name"] for run in aborted] == ["one"]
