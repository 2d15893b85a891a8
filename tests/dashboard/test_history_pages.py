"""Plans, trends and comparisons as a reader or an engineer gets them from the server."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard import run_pages
from runs.models import Plan, Run
from runs.services import set_baseline
from tests.dashboard.conftest import TUESDAY, AddRun, ended
from tests.runs.seconds import keep, spans_of, steady

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_tuesday")]

TOTALS = {
    "requests": 600,
    "errors": 0,
    "error_rate": 0.0,
    "rps": 20.0,
    "seconds": 30,
    "users": 5,
    "p50_ms": 100.0,
    "p95_ms": 118.0,
    "p99_ms": 119.0,
}


def read(client: Client, path: str, status: int = 200) -> str:
    """A page's words, a blank between those of two elements."""
    answer = client.get(path)
    assert answer.status_code == status
    words = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", answer.text, flags=re.S)
    return " ".join(html.unescape(words).split())


@pytest.fixture
def plan(engineer: User) -> Plan:
    return Plan.objects.create(
        name="Nightly rush",
        tool="k6",
        script="export default () => {}",
        target="http://127.0.0.1:8090",
        duration=timedelta(minutes=2),
        thresholds=["p95 > 800ms"],
        tags=["nightly"],
        created_by=engineer,
        created_at=TUESDAY,
    )


@pytest.fixture
def add_measured(add_run: AddRun) -> AddRun:
    def add(ms: float = 100.0, **words: Any) -> Run:
        figures = {"p50_ms": ms, "p95_ms": 1.18 * ms, "p99_ms": 1.19 * ms}
        run = add_run(**(ended("passed", "600 requests.") | {"totals": TOTALS | figures} | words))
        keep(run, spans_of(steady(30, ms)))
        return run

    return add


def test_a_comparison_says_worse_why_and_by_how_much(client: Client, add_measured: AddRun) -> None:
    before, after = add_measured(100.0), add_measured(150.0)
    text = read(client, f"/runs/compare/?a={before.pk}&b={after.pk}")
    assert f"Run {after.pk} against run {before.pk}" in text
    assert "Worse" in text
    assert "p95 50 % slower" in text
    assert re.search(r"p95 ms 1\d\d 1\d\d \+5\d(\.\d)? \+(49|50)(\.\d)? slower", text)
    assert "Requests /s 20 20 0 0 within noise" in text
    assert "99 times of 100" in text


def test_a_faster_run_is_better_and_an_equal_one_is_neither(
    client: Client, add_measured: AddRun
) -> None:
    one, fast, same = add_measured(100.0), add_measured(50.0), add_measured(100.0)
    page = client.get(f"/runs/compare/?a={one.pk}&b={fast.pk}").text
    assert 'data-outcome="passed"' in page
    assert ">Better<" in page
    assert "No clear difference" in read(client, f"/runs/compare/?a={one.pk}&b={same.pk}")


def test_a_faster_run_that_failed_is_not_called_better(
    client: Client, add_measured: AddRun
) -> None:
    one, fast = add_measured(100.0), add_measured(50.0, state="failed")
    page = client.get(f"/runs/compare/?a={one.pk}&b={fast.pk}").text
    assert 'data-outcome="even"' in page
    assert f"Not better: run {fast.pk} failed" in page
    assert "faster" in page


@pytest.mark.parametrize("path", ["/runs/", "/runs/compare/", "/runs/{}/"])
def test_every_page_of_runs_is_in_the_menu_as_runs(
    client: Client, add_run: AddRun, path: str
) -> None:
    page = client.get(path.format(add_run().pk)).text
    assert re.findall(r'aria-current="page">(\w+)<', page) == ["Runs"]


def test_what_makes_a_comparison_doubtful_stands_above_its_figures(
    client: Client, add_measured: AddRun
) -> None:
    one = add_measured(users=20)
    other = add_measured(users=40, script="// changed", latency_kind="to the first byte")
    text = read(client, f"/runs/compare/?a={one.pk}&b={other.pk}")
    assert "Before you trust it The tools time different things" in text
    assert "The number of users differs: 20 and 40." in text
    assert "The script was changed between them." in text
    assert text.index("Before you trust it") < text.index("The whole run")
    assert "not comparable" in text


def test_each_endpoint_has_its_own_row(client: Client, add_measured: AddRun) -> None:
    one, other = add_measured(), add_measured()
    text = read(client, f"/runs/compare/?a={one.pk}&b={other.pk}")
    assert "home 600 → 600" in text


def test_without_two_runs_the_page_lets_one_choose_them(
    client: Client, add_measured: AddRun
) -> None:
    assert "Two runs with figures are needed." in read(client, "/runs/compare/")
    one, other = add_measured(name="first"), add_measured(name="second")
    page = client.get("/runs/compare/").text
    assert page.count(f'<option value="{one.pk}"') == 2
    assert page.count(f'<option value="{other.pk}"') == 2


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("?a=1&b=1", 400, "Name two different runs to compare"),
        ("?a=998&b=999", 404, "There is no run 998"),
        ("?a=x%00&b=<b>", 404, "There is no run"),
    ],
)
def test_runs_that_cannot_be_compared_are_explained(
    client: Client, query: str, status: int, said: str
) -> None:
    assert said in read(client, f"/runs/compare/{query}", status)


def test_a_run_offers_its_baseline_and_the_run_before_for_comparison(
    engineers_client: Client, add_measured: AddRun, plan: Plan
) -> None:
    first, second, third = (add_measured(plan=plan) for _ in range(3))
    set_baseline(plan_id=str(plan.pk), run_id=str(first.pk), by="ellen", now=TUESDAY)
    page = engineers_client.get(f"/runs/{third.pk}/").text
    assert f'?a={first.pk}&amp;b={third.pk}">Compare with the baseline' in page
    assert f'?a={second.pk}&amp;b={third.pk}">Compare with the run before' in page
    assert f'data-baseline="{third.pk}"' in page
    page = engineers_client.get(f"/runs/{second.pk}/").text
    assert page.count("Compare with") == 1
    assert "The baseline of its plan" in engineers_client.get(f"/runs/{first.pk}/").text


def test_a_reader_is_not_offered_to_choose_the_baseline(
    client: Client, add_measured: AddRun, plan: Plan
) -> None:
    run = add_measured(plan=plan)
    assert "Make it the baseline" not in read(client, f"/runs/{run.pk}/")


def test_a_plans_page_draws_its_runs_and_each_leads_to_its_page(
    client: Client, add_measured: AddRun, add_run: AddRun, plan: Plan
) -> None:
    runs = [add_measured(plan=plan), add_measured(300.0, plan=plan, state="failed")]
    silent = add_run(plan=plan, **ended("errored", "k6 cannot load the script."))
    page = client.get(f"/plans/{plan.pk}/").text
    plot = page[page.index('class="plot"') : page.index('class="ends')]
    assert re.findall(r'href="/runs/(\d+)/"', plot) == [str(run.pk) for run in (*runs, silent)]
    assert re.findall(r'class="mark (\w+)"', plot) == ["passed", "failed", "errored"]
    assert "nothing was measured" in plot
    assert f"?a={runs[0].pk}&amp;b={runs[1].pk}" in page


@pytest.mark.parametrize("path", ["/plans/{}/", "/runs/?plan={}"])
def test_more_runs_than_fit_are_read_page_by_page(
    client: Client, add_run: AddRun, plan: Plan, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_pages, "LISTED", 2)
    ids = [add_run(plan=plan).pk for _ in range(5)]
    add_run()
    page, seen = path.format(plan.pk), []
    for _ in range(3):
        answer = client.get(page).text
        seen.append(
            [int(pk) for pk in re.findall(r'scope="row"[^>]*><a href="/runs/(\d+)/', answer)]
        )
        older = re.search(r'href="([^"]*)" rel="next"', answer)
        page = page.partition("?")[0] + html.unescape(older[1]) if older else ""
    assert seen == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert page == ""
    assert "The newest runs" in answer


@pytest.mark.parametrize("path", ["/plans/{}/?before=1", "/runs/?before=x"])
def test_before_the_first_run_there_is_nothing_and_a_way_back(
    client: Client, plan: Plan, path: str
) -> None:
    text = read(client, path.format(plan.pk))
    assert "There are no runs before this one. Show the newest runs" in text


def test_a_plan_that_never_ran_says_what_will_stand_there(client: Client, plan: Plan) -> None:
    text = read(client, f"/plans/{plan.pk}/")
    assert "No run of this plan has been measured yet." in text
    assert "p95 > 800ms" in text
    assert "None yet. Open a run that went well" in text


def test_a_plan_that_does_not_exist_is_a_page_that_says_so(client: Client) -> None:
    assert "There is no plan 77" in read(client, "/plans/77/", 404)


def test_only_who_may_start_a_plan_gets_the_button(
    client: Client, engineers_client: Client, plan: Plan
) -> None:
    assert "Start it now" in read(engineers_client, f"/plans/{plan.pk}/")
    reader = read(client, f"/plans/{plan.pk}/")
    assert "Start it now" not in reader
    assert "Log in to start it" in reader


def test_the_list_of_plans_tells_how_each_went_the_last_time(
    client: Client, add_measured: AddRun, add_run: AddRun, plan: Plan
) -> None:
    assert "never" in read(client, "/plans/")
    add_measured(plan=plan, **ended("failed", "p95 was 912 ms."))
    add_run(plan=plan, state="scheduled", scheduled_for=TUESDAY + timedelta(days=1))
    text = read(client, "/plans/")
    assert re.search(r"Nightly rush nightly .* failed Tue 09 Jun, 09:00 UTC 118", text)


def test_without_a_plan_the_list_teaches_what_one_is(client: Client) -> None:
    assert "No plan has been saved yet." in read(client, "/plans/")


def test_a_queued_run_tells_its_place_and_what_it_waits_for(
    client: Client, add_run: AddRun
) -> None:
    site = {"state": "queued", "site": "127.0.0.1:8090"}
    add_run(queued_at=TUESDAY, **site)
    second = add_run(queued_at=TUESDAY + timedelta(minutes=1), **site)
    assert "2nd in the queue for 127.0.0.1:8090" in read(client, f"/runs/{second.pk}/")
    listed = read(client, "/runs/")
    assert "queued 2nd in line" in listed
    assert "waits for 127.0.0.1:8090" in listed
    page = client.get(f"/runs/{second.pk}/").text
    assert 'aria-label="Charts" hidden' in page


def test_a_scheduled_run_tells_when_and_is_called_off_rather_than_stopped(
    engineers_client: Client, add_run: AddRun
) -> None:
    run = add_run(state="scheduled", scheduled_for=TUESDAY + timedelta(days=1))
    text = read(engineers_client, f"/runs/{run.pk}/")
    assert "Scheduled for Wed 10 Jun 2026, 09:00 UTC" in text
    assert "Call the test off" in text
    assert "Stop the test" not in text
    assert "for Wed 10 Jun, 09:00 UTC" in read(engineers_client, "/runs/")


def test_a_scheduled_run_that_was_skipped_says_why(client: Client, add_run: AddRun) -> None:
    run = add_run(
        state="refused",
        calendar={"safe": True, "reason": "", "blockers": [], "next_safe_window": None},
        verdict={"outcome": "refused", "reason": "It was due 2 h ago.", "checks": []},
    )
    text = read(client, f"/runs/{run.pk}/")
    assert "Skipped: It was due 2 h ago." in text
    assert "wedding calendar refused" not in text


def test_a_dry_run_says_that_nothing_is_sent(client: Client, add_run: AddRun) -> None:
    run = add_run(is_dry=True)
    assert "No request is made." in read(client, f"/runs/{run.pk}/")
    assert "dry run" in read(client, "/runs/")


def test_a_run_tells_what_its_tool_plans_and_what_is_enforced(
    client: Client, add_run: AddRun
) -> None:
    run = add_run(
        **ended("passed", "20 requests."),
        tool_plan={
            "nominal_s": 60.0,
            "worst_case_s": 90.0,
            "bounded": True,
            "peak_users": 20,
            "peak_rate": 41.5,
            "hosts": ["guests.example:443"],
            "thresholds": ["http_req_duration p(95)<500"],
            "warnings": ["It reads a file of 9 MB."],
            "enforced": ["Only 127.0.0.1:8090 is reached."],
        },
    )
    text = read(client, f"/runs/{run.pk}/")
    for said in (
        "Lasts 1 min, at worst 1 min 30 s",
        "Users up to 20",
        "Rate up to 41.5/s",
        "guests.example:443",
        "Its own thresholds http_req_duration p(95)<500",
        "What is enforced Only 127.0.0.1:8090 is reached.",
        "Warnings It reads a file of 9 MB.",
    ):
        assert said in text


def test_a_script_without_an_end_is_told_to_be_held_by_the_hard_stop(
    client: Client, add_run: AddRun
) -> None:
    run = add_run(
        **ended("passed", "20 requests."),
        tool_plan={"nominal_s": None, "worst_case_s": 120.0, "bounded": False, "peak_users": None},
    )
    text = read(client, f"/runs/{run.pk}/")
    assert "Lasts at worst 2 min the hard stop: the script sets no end" in text
    assert "not known before" in text


def test_a_script_that_may_outlast_its_time_is_told_to_be_cut_off(
    client: Client, add_run: AddRun
) -> None:
    plan = {"nominal_s": 60.0, "worst_case_s": 180.0, "bounded": True}
    run = add_run(**ended("passed", "20 requests."), tool_plan=plan)
    text = read(client, f"/runs/{run.pk}/")
    assert "Lasts 1 min, at worst 3 min but for the hard stop after 2 min" in text


def test_thresholds_breaches_and_metrics_are_told_without_any_script(
    client: Client, add_run: AddRun
) -> None:
    moment = {"since": "2026-06-09T09:00:02+00:00", "at": "2026-06-09T09:00:12+00:00"}
    first = moment | {"measured": "912 ms", "sentence": "p95 of rsvp stayed above 800 ms"}
    words = ended("failed", "p95 of rsvp stayed above 800 ms.")
    words["verdict"]["checks"] = [
        {"text": "p95 of rsvp > 800ms for 10s", "measured": "912 ms", "held": False},
        {"text": "k6: checks rate>0.9", "measured": "held", "held": True},
        {"text": "p95 of photos > 1s", "measured": "no data", "held": None},
    ]
    run = add_run(
        **words,
        breaches=[
            {
                "threshold": "p95 of rsvp > 800ms for 10s",
                "critical": True,
                "feature": "rsvp",
                "stops": True,
                "limit": "800 ms",
                "count": 2,
                "is_on": False,
                "first": first,
                "last": first,
            }
        ],
        metrics=[
            {"name": "checks", "kind": "rate", "count": 40, "rate": 0.975},
            {"name": "data_sent", "kind": "counter", "count": 40, "total": 4096.0},
            {"name": "vus", "kind": "gauge", "count": 9, "last": 5.0, "min": 1.0, "max": 5.0},
        ],
    )
    text = read(client, f"/runs/{run.pk}/")
    assert "p95 of rsvp > 800ms for 10s 912 ms broken" in text
    assert "k6: checks rate>0.9 held held" in text
    assert "p95 of photos > 1s no data no data" in text
    assert "09:00:12 UTC 09:00:12 UTC 2 wedding-critical rsvp stops the test" in text
    assert re.search(r"checks rate 40 – – – – 97.5 %", text)
    assert "4 096 in all" in text
    assert "5 at last" in text


def test_thresholds_stand_there_before_they_are_judged(client: Client, add_run: AddRun) -> None:
    run = add_run(state="running", started_at=TUESDAY, thresholds=["p95 > 800ms"])
    text = read(client, f"/runs/{run.pk}/")
    assert "p95 > 800ms – not judged yet" in text


def test_notes_and_tags_are_shown_to_readers_and_changed_by_engineers(
    client: Client, engineers_client: Client, add_run: AddRun
) -> None:
    run = add_run(**ended("passed", "20 requests."), tags=["after deploy"], notes="<i>4.12</i>\nok")
    reader = client.get(f"/runs/{run.pk}/").text
    assert "&lt;i&gt;4.12&lt;/i&gt;<br>ok" in reader
    assert '/runs/?tag=after%20deploy">after deploy</a>' in reader
    assert "data-notes-edit" not in reader
    assert "data-notes-edit" in engineers_client.get(f"/runs/{run.pk}/").text


@pytest.mark.parametrize(
    ("query", "found"), [("?tag=rsvp", ["rush"]), ("?plan=PLAN", ["walk"]), ("?tag=none", [])]
)
def test_runs_are_filtered_by_tag_and_plan(
    client: Client, add_run: AddRun, plan: Plan, query: str, found: list[str]
) -> None:
    add_run(name="rush", tags=["rsvp"])
    add_run(name="walk", plan=plan)
    page = client.get(f"/runs/{query.replace('PLAN', str(plan.pk))}").text
    assert re.findall(r'<th scope="row" title="(\w+)"', page) == found
