"""The pages as a reader on the stack's own machine, or an engineer, gets them from the server."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.models import Feed, Wedding
from dashboard import views
from tests.conftest import MoveClock
from tests.dashboard.conftest import SATURDAY, TUESDAY, AddRun, ended

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_tuesday")]

PAGES = ["/", "/runs/", "/runs/new/"]


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    words = re.sub(r"<(script|style|noscript).*?</\1>|<[^>]+>", "", answer.text, flags=re.S)
    return " ".join(words.split())


def test_on_a_quiet_tuesday_home_says_until_when_it_is_safe(client: Client) -> None:
    text = text_of(client, "/")
    assert "Safe until Fri" in text
    assert "No active weddings detected" in text


def test_on_a_saturday_home_says_why_it_is_blocked_and_until_when(
    client: Client, move_clock: MoveClock
) -> None:
    move_clock(SATURDAY)
    text = text_of(client, "/")
    assert "Blocked, advised from Mon 07:00 UTC: Saturday wedding day protection" in text
    assert "Advised window Mon 15 Jun, 07:00 UTC to Fri 19 Jun" in text
    assert "Safe already from Sat 13 Jun, 23:15 UTC; the later start" in text


def test_where_no_later_start_is_advised_the_next_safe_window_is_the_first(
    client: Client,
) -> None:
    Wedding.objects.create(
        title="A", zone="Europe/London", starts_at=TUESDAY, ends_at=TUESDAY + timedelta(hours=1)
    )
    text = text_of(client, "/")
    assert "Blocked until Tue 11:15 UTC: 1 active wedding in progress" in text
    assert "Next safe window Tue 09 Jun, 11:15 UTC" in text
    assert "Safe already" not in text


@pytest.fixture
def unread(quiet_tuesday: None) -> Feed:
    now = clock.now()
    return Feed.objects.create(
        name="Venue diary", url="https://a.test/", created_at=now, due_at=now
    )


@pytest.mark.usefixtures("unread")
def test_a_stale_calendar_has_a_short_headline_the_feeds_name_and_what_to_do(
    client: Client, engineers_client: Client
) -> None:
    headline = re.search(r"<h1>.*</h1>", client.get("/").text, re.S)
    assert headline
    assert re.sub("<[^>]+>", "", headline[0]).strip() == (
        "Blocked: the wedding calendar is not known to be complete"
    )
    text = text_of(engineers_client, "/")
    assert "Feed “Venue diary”: it was never read." in text
    assert "Ask a coordinator to mend the feed, or to confirm that the calendar is" in text
    assert "Nobody knows before the calendar is complete." in text


@pytest.mark.usefixtures("unread")
def test_who_keeps_the_feeds_is_led_to_them(client: Client, engineer: User) -> None:
    engineer.is_staff = True
    engineer.save()
    engineer.user_permissions.add(Permission.objects.get(codename="change_feed"))
    client.force_login(engineer)

    page = client.get("/").text
    assert '<a href="/admin/calendar_guard/feed/">Read or mend the feed</a>' in page


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_the_guards_pill(client: Client, path: str) -> None:
    assert client.get(path).text.count('class="pill"') == 1


def test_home_lists_the_last_five_runs_newest_first(client: Client, add_run: AddRun) -> None:
    for number in range(1, 7):
        add_run(name=f"rush number {number}", **ended("passed", "900 requests."))
    text = text_of(client, "/")
    listed = re.findall(r"rush number \d", text)
    assert listed == [f"rush number {number}" for number in (6, 5, 4, 3, 2)]


def test_an_empty_home_teaches_how_to_make_the_first_run(client: Client) -> None:
    text = text_of(client, "/")
    assert "No test has run yet." in text
    assert "./wedsync demo" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["evening", "rush", "walk"]),
        ("?state=failed", ["rush"]),
        ("?tool=locust", ["evening"]),
        ("?q=WAL", ["walk"]),
        ("?state=passed&tool=k6", ["walk"]),
    ],
)
def test_runs_are_filtered_by_the_address(
    client: Client, add_run: AddRun, query: str, found: list[str]
) -> None:
    add_run(name="rush", **ended("failed", "p95 was 912 ms, limit 800 ms."))
    add_run(name="walk", **ended("passed", "20 requests."))
    add_run(name="evening", tool="locust", **ended("passed", "300 requests."))
    page = client.get(f"/runs/{query}").text
    names = re.findall(r'<th scope="row" title="(\w+)"', page)
    assert sorted(names) == found


def test_filters_that_match_nothing_offer_all_runs(client: Client, add_run: AddRun) -> None:
    add_run()
    text = text_of(client, "/runs/?q=nothing")
    assert "No run matches these filters." in text
    assert "Show all runs" in text


@pytest.mark.parametrize("name", ["state", "tool", "plan", "tag", "q", "before"])
def test_a_zero_byte_in_a_filter_matches_nothing(
    client: Client, add_run: AddRun, name: str
) -> None:
    run = add_run()
    answer = client.get("/runs/", {name: "\0"})
    assert answer.status_code == 200
    assert run.name not in answer.text


def test_a_run_that_failed_says_so_as_a_sentence(client: Client, add_run: AddRun) -> None:
    run = add_run(**ended("failed", "p95 was 912 ms, limit 800 ms."))
    text = text_of(client, f"/runs/{run.pk}/")
    assert "Failed: p95 was 912 ms, limit 800 ms." in text
    assert "1\xa0min 1\xa0s of at most 2\xa0min" in client.get(f"/runs/{run.pk}/").text.replace(
        "</span>", ""
    )


def test_a_run_that_was_stopped_says_that_nothing_is_left(client: Client, add_run: AddRun) -> None:
    run = add_run(**ended("aborted", "Stopped by ellen: stop was pressed."))
    assert "Stopped: 0 processes left" in text_of(client, f"/runs/{run.pk}/")


def test_only_who_may_stop_a_running_test_gets_the_button(
    client: Client, engineers_client: Client, add_run: AddRun
) -> None:
    run = add_run(state="running", started_at=TUESDAY)
    assert "Stop the test" in text_of(engineers_client, f"/runs/{run.pk}/")
    reader = text_of(client, f"/runs/{run.pk}/")
    assert "Stop the test" not in reader
    assert "Log in to stop it" in reader


def test_a_run_that_is_being_stopped_cannot_be_stopped_twice(
    engineers_client: Client, add_run: AddRun
) -> None:
    run = add_run(state="stopping", started_at=TUESDAY)
    assert (
        "data-stop disabled>Stopping...</button>" in engineers_client.get(f"/runs/{run.pk}/").text
    )


def test_a_refused_run_says_when_it_may_run(client: Client, add_run: AddRun) -> None:
    verdict = calendar_guard.check(
        start=SATURDAY, duration=timedelta(minutes=2), now=clock.now()
    ).as_json()
    run = add_run(
        state="refused",
        created_at=SATURDAY,
        ended_at=SATURDAY,
        calendar=verdict,
        verdict={"outcome": "refused", "reason": verdict["reason"], "checks": []},
    )
    text = text_of(client, f"/runs/{run.pk}/")
    assert "Saturday wedding day protection" in text
    assert "Next safe window as the calendar stood Sat 13 Jun, 13:00" in text
    assert "Mon 15 Jun 2026, 07:00 UTC" in text
    assert verdict["blockers"][0]["what"] in text


def test_a_refused_schedule_is_outlined_at_the_time_it_was_for(
    client: Client, add_run: AddRun
) -> None:
    calendar = calendar_guard.check(
        start=SATURDAY, duration=timedelta(minutes=2), now=clock.now()
    ).as_json()
    run = add_run(state="refused", scheduled_for=SATURDAY, calendar=calendar)
    asked = client.get(f"/runs/{run.pk}/").context["week"]["asked"]
    assert datetime.fromisoformat(asked["from"]) == SATURDAY


def test_a_refusal_without_any_window_sends_to_the_coordinator_and_offers_no_second_try(
    engineers_client: Client, add_run: AddRun
) -> None:
    reason = "2 active weddings in progress; no window of 2 min fits within 56 days"
    run = add_run(
        state="refused",
        calendar={"safe": False, "reason": reason, "blockers": [], "next_safe_window": None},
        verdict={"outcome": "refused", "reason": reason, "checks": []},
    )
    text = text_of(engineers_client, f"/runs/{run.pk}/")
    assert "No window of this length is free within 56 days; ask the coordinator." in text
    assert "Prepare the test again" not in text


@pytest.mark.parametrize(("log", "is_hidden"), [("", True), ("Unexpected end of input", False)])
def test_the_tools_log_has_a_box_only_where_it_said_something(
    client: Client, add_run: AddRun, log: str, is_hidden: bool
) -> None:
    run = add_run(**ended("errored", "k6 cannot load the script.", started_at=None, log_tail=log))
    assert ("data-log-card hidden" in client.get(f"/runs/{run.pk}/").text) is is_hidden


def test_a_run_that_does_not_exist_is_a_page_that_says_so(client: Client) -> None:
    assert "There is no run 99" in text_of(client, "/runs/99/", 404)


def test_an_address_that_does_not_exist_is_a_page_that_says_so(client: Client) -> None:
    said = text_of(client, "/honeymoon/", 404)
    assert "There is no page at this address" in said
    assert "Safe until" in said, "the calendar's answer is at the head of every page"


def test_an_address_that_does_not_exist_says_so_while_the_database_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("no connection")

    monkeypatch.setattr(views, "frame", away)
    assert "There is no page at this address" in text_of(client, "/honeymoon/", 404)


def test_a_page_that_names_no_icon_has_one(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"].endswith(".svg")


@pytest.mark.parametrize("path", PAGES)
def test_a_reader_who_may_not_start_is_asked_to_log_in(client: Client, path: str) -> None:
    assert "Log in to start a test" in text_of(client, path)


def test_a_viewer_who_is_logged_in_is_told_who_starts_tests(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert "Engineers start tests." in text_of(client, "/")
    assert "Log in as an engineer" in text_of(client, "/runs/new/")


def test_the_menu_offers_a_new_test_only_to_those_who_may_start_or_may_yet_log_in(
    client: Client, engineers_client: Client, viewer: User
) -> None:
    entry = '<a href="/runs/new/">New test</a>'
    assert entry in client.get("/").text
    assert entry in engineers_client.get("/").text
    client.force_login(viewer)
    assert entry not in client.get("/").text


@pytest.mark.parametrize("path", PAGES)
def test_an_engineer_may_start(engineers_client: Client, path: str) -> None:
    text = text_of(engineers_client, path)
    assert "Log in to start a test" not in text
    assert "New test" in text


def test_a_new_test_can_begin_with_either_example(engineers_client: Client) -> None:
    page = engineers_client.get("/runs/new/")
    examples = {example["tool"]: example["script"] for example in page.context["examples"]}
    assert "guest_rush" in examples["k6"]
    assert "class Guest(HttpUser)" in examples["locust"]
    assert "arrivalRate" in examples["artillery"]


def test_a_run_can_be_prepared_again_with_its_own_words(
    engineers_client: Client, add_run: AddRun
) -> None:
    run = add_run(**ended("aborted", "Stopped by ellen."), thresholds=["p95 > 2s"])
    page = engineers_client.get(f"/runs/{run.pk}/").content.decode()
    assert f'href="/runs/new/?again={run.pk}"' in page
    form = engineers_client.get(f"/runs/new/?again={run.pk}")
    assert form.context["again"]["minutes"] == 2
    assert form.context["again"]["thresholds"] == ["p95 > 2s"]
    assert engineers_client.get("/runs/new/?again=77").context["again"] is None


def test_a_new_test_proposes_the_last_target(engineers_client: Client, add_run: AddRun) -> None:
    add_run(target="http://127.0.0.1:8123")
    assert 'value="http://127.0.0.1:8123"' in engineers_client.get("/runs/new/").text


def test_a_name_cannot_smuggle_markup_into_a_page(client: Client, add_run: AddRun) -> None:
    run = add_run(name="</script><b>bold", **ended("passed", "1 request."))
    for path in ("/", "/runs/", f"/runs/{run.pk}/"):
        assert "</script><b>bold" not in client.get(path).text
