"""Coordinators keep the calendar; engineers never have to think about it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.stories.people import logged_in, page_of, wedding
from tests.stories.stack import Stack, running_stack
from tests.stories.venue_feed import event, feed_state, read_now, write_calendar
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool, pytest.mark.browser]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feeds")


@pytest.fixture(scope="module")
def stack(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("calendar")
    with running_stack(home, WEDSYNC_FEED_FOLDERS=str(folder)) as stack:
        yield stack


@pytest.fixture
def coordinator(stack: Stack) -> Iterator[httpx.Client]:
    """A coordinator's session: no engineering rights."""
    with logged_in(stack, "coordinator") as client:
        yield client


def assert_stopped(stack: Stack, run_id: str, *said: str) -> None:
    run = stack.wait_for(run_id, within=10)
    assert run["state"] == "aborted", run["verdict"]
    assert run["processes_left"] == 0
    assert all(words in json.dumps(run["verdict"]) for words in said), run["verdict"]


def test_a_coordinator_holds_every_test_without_engineering_rights(
    stack: Stack, coordinator: httpx.Client, guest_site: str
) -> None:
    run_id = stack.rush(guest_site)
    begins = stack.now()
    words = {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=2)).isoformat()}
    hold = coordinator.post("/api/load-testing/holds", json=words | {"reason": "VIP rehearsal"})
    assert hold.status_code == 201, hold.text
    assert_stopped(stack, run_id, "hold")

    assert stack.ask(guest_site).status_code == 409
    assert "hold in force" in stack.api.get("window", params={"duration": "PT5M"}).json()["reason"]
    assert coordinator.post("/api/load-testing/runs", json={}).status_code == 403
    assert coordinator.delete(f"/api/load-testing/holds/{hold.json()['id']}").is_success
    assert stack.api.get("window", params={"duration": "PT5M"}).json()["safe"] is True


def test_saving_a_wedding_first_shows_the_tests_that_it_stops_and_then_stops_them(
    stack: Stack, guest_site: str, chromium: Browser
) -> None:
    run_id = stack.rush(guest_site)
    page = page_of(chromium, stack, "coordinator")
    page.goto(f"{stack.url}/admin/calendar_guard/wedding/add/")
    page.fill("#id_title", "Mia & Noor")
    page.fill("#id_starts_local_0", "2026-06-09")
    page.fill("#id_starts_local_1", "11:00")
    page.fill("#id_ends_local_0", "2026-06-09")
    page.fill("#id_ends_local_1", "20:00")
    page.click("[name=_save]")

    assert "The guest rush" in page.inner_text("#content")
    assert stack.run(run_id)["state"] == "running"
    page.get_by_role("button", name=re.compile("Save and stop 1 running test")).click()
    assert "Mia & Noor" in page.inner_text(".messagelist")
    assert_stopped(stack, run_id, "wedding")
    page.goto(f"{stack.url}/admin/calendar_guard/wedding/?q=Mia")
    page.click("#result_list tbody th a")
    page.click("text=History")
    assert "added" in page.inner_text("#content")
    page.go_back()
    page.click(".deletelink")
    page.get_by_role("button", name=re.compile("Yes, I.m sure")).click()
    page.close()


def test_a_wedding_that_appears_in_a_feed_stops_a_test_and_a_broken_feed_starts_none(
    stack: Stack, folder: Path, guest_site: str, chromium: Browser
) -> None:
    calendar, begins = folder / "venue.ics", stack.now()
    far = begins + timedelta(days=9)
    later = event(1, far, far + timedelta(hours=3))
    write_calendar(calendar, later)
    page = page_of(chromium, stack, "coordinator")
    page.goto(f"{stack.url}/admin/calendar_guard/feed/add/")
    page.fill("#id_name", "The Old Barn")
    page.fill("#id_address", f"file://{calendar}")
    page.click("[name=_save]")
    until(lambda: feed_state(stack) == "fresh", within=30, what="the feed's first reading")
    run_id = stack.rush(guest_site)
    write_calendar(calendar, event(2, begins, begins + timedelta(hours=8)), later)
    read_now(page, stack)
    assert_stopped(stack, run_id, "wedding")

    write_calendar(calendar, later)
    read_now(page, stack)  # two events are too few to look suspicious, but a wedding has begun
    calendar.write_text("<html>Sorry, log in first</html>")
    read_now(page, stack)
    assert feed_state(stack) == "broken"
    refusal = stack.ask(guest_site).json()
    assert "stale_calendar" in [blocker["rule"] for blocker in refusal["blockers"]]
    page.goto(f"{stack.url}/admin/calendar_guard/feed/")
    page.click("#result_list tbody th a")
    page.click(".deletelink")
    page.get_by_role("button", name=re.compile("Yes, I.m sure")).click()
    page.close()


def test_the_same_question_gets_the_same_answer_over_api_page_and_worker(
    stack: Stack, coordinator: httpx.Client, guest_site: str
) -> None:
    begins = stack.now() + timedelta(minutes=20)
    local = begins.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    times = {
        "starts_at": local.isoformat(),
        "ends_at": (local + timedelta(hours=4)).isoformat(),
    }
    with wedding(coordinator, title="Kim & Lou", **times):
        said = stack.api.get("window", params={"duration": "PT1M"}).json()
        refusal = stack.ask(guest_site).json()
        home = httpx.get(f"{stack.url}/", trust_env=False).text
        listed = stack.api.get("windows", params={"duration": "PT1M"}).json()["windows"]

    assert said["safe"] is False
    assert refusal["detail"].startswith(said["reason"].split(";")[0])
    assert said["reason"].split(";")[0] in home
    assert said["next_safe_window"]["start"] == refusal["next_safe_window"]["start"]
    assert said["next_safe_window"]["start"] in [window["start"] for window in listed]
    assert "Kim" not in json.dumps(stack.api.get("policy").json()) + refusal["detail"] + home


def test_why_was_this_refused_is_answered_later_from_an_unbroken_log(stack: Stack) -> None:
    entries = json.loads(
        stack.command(
            "manage",
            "shell",
            "-c",
            "import json; from audit.services import entries;"
            "print(json.dumps([e.id for e in entries(action='verdict')]))",
        ).stdout.splitlines()[-1]
    )
    assert entries
    told = stack.command("manage", "replay_verdict", *map(str, entries))
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("the same answer") == len(entries)
    assert stack.command("manage", "verify_audit").returncode == 0


def test_people_subscribe_to_safe_windows_in_their_own_calendar(stack: Stack) -> None:
    for show, said in (("safe", "Safe for load tests"), ("protected", "Protected")):
        answer = httpx.get(
            f"{stack.url}/api/load-testing/calendar.ics", params={"show": show}, trust_env=False
        )
        assert answer.headers["content-type"].startswith("text/calendar"), answer.text
        assert said in answer.text


def test_the_month_shows_weddings_and_safe_hours(stack: Stack, chromium: Browser) -> None:
    page = page_of(chromium, stack, "coordinator")
    page.goto(f"{stack.url}/admin/calendar_guard/wedding/calendar/?month=2026-06")
    assert "June 2026" in page.inner_text("body")
    assert page.locator("text=safe").count() > 0
    page.close()
