"""What coordinators do on a Friday in October: a long party, a broken feed, files and lists."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.stories.people import API, logged_in, page_of, wedding
from tests.stories.stack import Stack
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.tool, pytest.mark.browser]
ADMIN = "/admin/calendar_guard"
SEASON = """title,venue,zone,starts_at,ends_at,coordinators
Ada & Grace,Old Mill,Europe/London,2026-11-10 14:00,2026-11-10 23:00,Mara Lind <mara@venue.example>
Kim & Lou,Abbey,Europe/Berlin,2026-11-11 14:00,{ends},
Mia & Noor,Abbey,Europe/Berlin,2026-11-12 14:00,2026-11-13 01:00,
"""


@pytest.fixture(scope="module")
def browser_page(chromium: Browser, october: Stack) -> Iterator[Page]:
    page = page_of(chromium, october, "coordinator")
    yield page
    page.close()


def open_admin(page: Page, stack: Stack, path: str) -> None:
    page.goto(f"{stack.url}{ADMIN}/{path}")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=re.compile(name)).click()


def refusals(answer: httpx.Response) -> list[str]:
    """The rules by which a test was refused; none where it was let in."""
    return [blocker["rule"] for blocker in answer.json().get("blockers", [])]


def test_a_wedding_that_overruns_forbids_tests_until_somebody_completes_it(
    october: Stack, keeper: httpx.Client, guest_site: str, browser_page: Page
) -> None:
    ended = october.now().astimezone(UTC).replace(tzinfo=None, microsecond=0) - timedelta(minutes=5)
    times = {"starts_at": (ended - timedelta(hours=6)).isoformat(), "ends_at": ended.isoformat()}
    with wedding(keeper, teardown="PT1S", **times) as kept:
        assert is_safe(october)
        open_admin(browser_page, october, f"wedding/{kept['id']}/change/")
        press(browser_page, "Still going")
        expect(browser_page.get_by_role("button", name="Still going")).to_have_count(0)
        assert refusals(october.ask(guest_site)) == ["wedding"]
        press(browser_page, "Completed now")
        expect(browser_page.get_by_role("button", name="Completed now")).to_have_count(0)
        until(lambda: is_safe(october), within=5, what="the end of the tear-down", every=0.1)
        october.stop(october.start(guest_site))


def is_safe(stack: Stack) -> bool:
    return bool(stack.ask_calendar("window", duration="PT1M")["safe"])


def test_tests_start_on_a_coordinators_word_where_a_feed_cannot_be_read(
    october: Stack, keeper: httpx.Client, guest_site: str, browser_page: Page
) -> None:
    with unreadable_feed(october, keeper):
        assert refusals(october.ask(guest_site)) == ["stale_calendar"]
        open_admin(browser_page, october, "attestation/add/")
        browser_page.fill("#id_until_0", "2026-10-24")
        browser_page.fill("#id_until_1", "06:00")
        browser_page.fill("#id_why", "Called every venue")
        browser_page.click("[name=_save]")
        expect(browser_page.locator(".messagelist")).to_contain_text("24 Oct 2026, 06:00 London")
        october.stop(october.start(guest_site))

        def forbids(at: str) -> list[str]:
            words = october.ask_calendar("window", duration="PT10M", at=f"2026-10-{at}+01:00")
            return [blocker["rule"] for blocker in words["blockers"]]

        assert forbids("23T23:00:00") == []
        assert forbids("24T05:00:00") == ["protected_weekday"]
        assert forbids("24T05:55:00") == ["protected_weekday", "stale_calendar"]
    with logged_in(october, "ops") as ops:
        [entry] = re.findall(
            r'field-actor">([^<]*)<.*?field-subject">(attestation [^<]*)<',
            ops.get("/admin/audit/entry/?q=attestation").text,
        )
    assert entry[0] == "coordinator"


@contextmanager
def unreadable_feed(stack: Stack, keeper: httpx.Client) -> Iterator[None]:
    words = {"name": "Abbey", "address": f"file://{stack.home}/nowhere.ics", "is_active": "on"}
    keeper.post(f"{ADMIN}/feed/add/", data=words | {"zone": "Europe/London"}).raise_for_status()
    [feed] = stack.ask_calendar("policy")["calendar"]["feeds"]
    try:
        yield
    finally:
        keeper.post(f"{ADMIN}/feed/{feed['id']}/delete/", data={"post": "yes"}).raise_for_status()


def test_a_season_comes_in_as_csv_without_its_wrong_line_and_goes_out_as_it_came(
    october: Stack, keeper: httpx.Client, browser_page: Page, tmp_path: Path
) -> None:
    page = browser_page
    look_at(page, october, SEASON.format(ends="2026-11-11 13:00"))
    wrong = page.get_by_role("alert").get_by_role("row").nth(1)
    expect(wrong.get_by_role("rowheader")).to_have_text("3")
    expect(wrong.get_by_role("cell").first).to_have_text("ends_at")
    assert titles(keeper) == []

    look_at(page, october, SEASON.format(ends="2026-11-12 02:00"))
    press(page, "Import 3 weddings")
    expect(page.locator(".messagelist")).to_contain_text("3 new")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    download.value.save_as(tmp_path / "season.csv")
    text = (tmp_path / "season.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["title"] for row in rows] == ["Ada & Grace", "Kim & Lou", "Mia & Noor"]
    assert rows[0]["coordinators"] == "Mara Lind <mara@venue.example>"
    assert rows[1]["ends_at"] == "2026-11-12T02:00:00"
    look_at(page, october, text)
    expect(page.locator("#found")).to_have_text("0 new, 0 changed, 3 unchanged")
    for row in rows:
        keeper.delete(f"{API}/weddings/{row['id']}").raise_for_status()


def look_at(page: Page, stack: Stack, text: str) -> None:
    open_admin(page, stack, "wedding/import/")
    file = FilePayload(name="season.csv", mimeType="text/csv", buffer=text.encode())
    page.set_input_files("#file", file)
    press(page, "Look at it first")


def titles(keeper: httpx.Client) -> list[str]:
    return [kept["title"] for kept in keeper.get(f"{API}/weddings").json()["weddings"]]


def test_a_coordinator_finds_this_weekend_a_venue_and_her_own_weddings(
    october: Stack, keeper: httpx.Client, browser_page: Page
) -> None:
    with ExitStack() as season:
        for title, day, venue, name in (
            ("Ada & Grace", "2026-10-24", "Old Mill", "Mara Lind"),
            ("Kim & Lou", "2026-10-25", "Abbey", "Nils Berg"),
            ("Mia & Noor", "2026-11-01", "Abbey", "Mara Lind"),
        ):
            words = {"title": title, "venue": venue, "coordinators": [{"name": name}]}
            times = {"starts_at": f"{day}T12:00:00", "ends_at": f"{day}T20:00:00"}
            season.enter_context(wedding(keeper, **words, **times))
        listed = [
            filtered(browser_page, october, choice)
            for choice in ("This weekend in London", "Mara Lind", "Abbey")
        ]
    assert listed == [
        ["Ada & Grace", "Kim & Lou"],
        ["Ada & Grace", "Mia & Noor"],
        ["Kim & Lou", "Mia & Noor"],
    ]


def filtered(page: Page, stack: Stack, choice: str) -> list[str]:
    open_admin(page, stack, "wedding/")
    page.locator("#changelist-filter").get_by_role("link", name=choice, exact=True).click()
    chosen = page.locator("#changelist-filter .selected").get_by_text(choice, exact=True)
    expect(chosen).to_be_visible()
    return page.locator("#result_list .field-title").all_inner_texts()


def test_a_viewer_reads_what_is_safe_and_writes_nothing(october: Stack, tmp_path: Path) -> None:
    password = "confetti over the lawn"
    people = tmp_path / "people.json"
    people.write_text(json.dumps({"viewer": password}))
    made = october.command("manage", "seed_demo", "--people", str(people))
    assert made.returncode == 0, made.stderr
    with logged_in(october, "viewer", password) as viewer:
        asked = ("window?duration=PT1H", "windows?duration=PT1H", "policy", "heat-map")
        assert {viewer.get(f"{API}/{question}").status_code for question in asked} == {200}
        written = ("weddings", "holds", "attestations", "runs")
        assert {viewer.post(f"{API}/{kept}", json={}).status_code for kept in written} == {403}
        assert viewer.get(f"{API}/weddings").status_code == 403
        assert viewer.get(f"{ADMIN}/wedding/add/").url.path == "/admin/login/"
