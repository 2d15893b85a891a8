"""What the engineer sees: a real Chromium over the whole stack."""

import os
import re
import signal
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.templatetags.words import figure
from tests.stories.stack import Stack, short_rush

pytestmark = [pytest.mark.live, pytest.mark.tool, pytest.mark.browser]
FOLLOW = """async (id) => {
  const { follow } = await import("streaming/live.js");
  window.seen = []; window.states = []; window.verdict = null;
  follow(id, {
    onUpdate: (data) => window.seen.push([data.seq, data.final, Date.now()]),
    onEnd: (verdict) => { window.verdict = verdict; },
    onState: (state) => window.states.push(state),
  });
}"""


@pytest.fixture
def page(chromium: Browser) -> Any:
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def log_in(page: Page, stack: Stack, username: str = "engineer") -> None:
    page.goto(f"{stack.url}/login/")
    page.get_by_label("Name", exact=True).fill(username)
    page.get_by_label("Password").fill(stack.people[username])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def follow(page: Page, stack: Stack, run_id: str) -> None:
    page.goto(f"{stack.url}/runs/{run_id}/")
    page.evaluate(FOLLOW, run_id)


def wait_for_the_end(page: Page) -> None:
    page.wait_for_function("window.verdict !== null", timeout=60_000)


def test_a_browser_that_reconnects_misses_nothing(
    tuesday: Stack, guest_site: str, page: Page
) -> None:
    run_id = tuesday.start(guest_site, script=short_rush(14))
    follow(page, tuesday, run_id)
    page.wait_for_function("window.seen.filter(([, final]) => final).length >= 3", timeout=30_000)
    os.kill(tuesday.pid_of("\0serve\0"), signal.SIGKILL)
    wait_for_the_end(page)
    seen = page.evaluate("window.seen.filter(([, final]) => final).map(([seq]) => seq)")
    kept = [point["seq"] for point in tuesday.points(run_id)]
    assert "reconnecting" in page.evaluate("window.states")
    assert seen == kept
    assert len(kept) >= 14


def test_from_the_tools_bytes_to_the_browser_takes_less_than_100_ms(
    tuesday: Stack, guest_site: str, page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the 99th percentile. A machine that is busy with other tests gets a second try."""
    for _ in range(2):
        delays, rps = delays_to_the_browser(tuesday, guest_site, page)
        p50, p99 = (delays[round(q * (len(delays) - 1))] for q in (0.5, 0.99))
        with capsys.disabled():
            print(
                f"\n  tool's bytes to onmessage at {rps:.0f} requests/s: "
                f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {len(delays)} messages"
            )
        if p99 < 100:
            break
    assert len(delays) >= 50
    assert p99 < 100


def delays_to_the_browser(stack: Stack, site: str, page: Page) -> tuple[list[float], float]:
    """Sorted, in milliseconds, and the run's requests a second.

    Of every state of an open second; a final one is told when its second closes, not read.
    """
    run_id = stack.start(site, script=short_rush(15, rate=50))
    follow(page, stack, run_id)
    wait_for_the_end(page)
    read_at = read_times(stack, run_id)
    delays = [
        at - read_at[seq]
        for seq, final, at in page.evaluate("window.seen")
        if seq in read_at and not final
    ]
    return sorted(delays), stack.run(run_id)["totals"]["rps"]


def read_times(stack: Stack, run_id: str) -> dict[int, float]:
    """When the worker read the bytes behind each update, in milliseconds since 1970."""
    log = (stack.data / "log" / "runs.log").read_text()
    found = re.findall(rf"run {run_id} seq (\d+) read at (\S+ \S+)", log)
    return {int(seq): datetime.fromisoformat(at).timestamp() * 1000 for seq, at in found}


def fill_in(page: Page, stack: Stack, site: str, failure: str) -> None:
    page.goto(f"{stack.url}/runs/new/")
    page.get_by_label("Name", exact=True).fill("Rush from the page")
    page.get_by_label("Target").fill(site)
    page.get_by_label("Script").fill(short_rush(6))
    page.get_by_label("What would be a failure").fill(failure)


def test_an_engineer_logs_in_starts_the_rush_and_reads_the_verdict(
    tuesday: Stack, guest_site: str, page: Page
) -> None:
    log_in(page, tuesday)
    fill_in(page, tuesday, guest_site, failure="p95 > 2s\nerrors > 1%")
    page.get_by_role("button", name="Start the test").click()
    page.wait_for_url(re.compile(r"/runs/\d+/$"))
    expect(page.locator("[data-tile=rps] [data-value]")).to_have_text(
        re.compile(r"\d"), timeout=20_000
    )
    expect(page.locator("canvas").first).to_be_visible()
    checks = page.locator("[data-checks]")
    expect(checks.locator(".heat-of")).to_have_count(2)
    expect(checks.locator("[data-checks-said]")).to_have_text("so far")
    sentence = page.locator("[data-verdict-sentence]")
    expect(sentence).to_have_text(re.compile("^Passed: .* requests"), timeout=30_000)
    expect(checks.locator("[data-checks-said]")).to_have_text("judged over the whole run")
    expect(checks.locator("[data-held=true]")).to_have_text(["held", "held"])
    write_notes(page)
    expect(sentence).to_have_text(re.compile("^Passed: .* requests"))


def test_a_form_that_is_refused_leads_the_keyboard_to_what_is_wrong(
    tuesday: Stack, guest_site: str, page: Page
) -> None:
    log_in(page, tuesday)
    fill_in(page, tuesday, guest_site, failure="p95 > 800")
    page.get_by_role("button", name="Save as a plan").press("Enter")
    expect(page.get_by_role("alert")).to_have_text(re.compile("Nothing was started or saved"))
    expect(page.get_by_label("What would be a failure")).to_be_focused()


def write_notes(page: Page) -> None:
    """First with a tag that is none; what is kept shows after the page's own reload."""
    notes = page.locator("[data-notes]")
    notes.get_by_role("button", name="Add a note or tags").click()
    notes.get_by_label("Tags").fill("RSVP, <b>")
    notes.get_by_label("Notes", exact=True).fill("After the new cache")
    notes.get_by_role("button", name="Keep these notes").click()
    expect(notes.get_by_role("alert")).to_contain_text("is no tag")
    notes.get_by_label("Tags").fill("RSVP, nightly , rsvp")
    notes.get_by_role("button", name="Keep these notes").click()
    expect(notes.locator("[data-notes-shown]")).to_contain_text("After the new cache")
    expect(notes.locator(".tag")).to_have_text(["rsvp", "nightly"])


def test_a_plan_is_started_stopped_with_nothing_left_and_made_the_baseline(
    tuesday: Stack, guest_site: str, page: Page
) -> None:
    plan = tuesday.add_plan(guest_site, script=short_rush(40))
    log_in(page, tuesday)
    page.goto(f"{tuesday.url}/plans/{plan}/")
    page.get_by_role("button", name="Start it now").click()
    page.wait_for_url(re.compile(r"/runs/\d+/$"))
    expect(page.locator("[data-tile=users] [data-value]")).to_have_text(
        re.compile(r"\d"), timeout=20_000
    )
    page.get_by_role("button", name="Stop the test").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop the test").click()
    expect(page.locator("[data-stopped]")).to_have_text("Stopped: 0 processes left", timeout=10_000)
    expect(page.locator("[data-checks-said]")).to_have_text("until the run was aborted")
    page.reload()
    page.get_by_role("button", name="Make it the baseline").click()
    expect(page.locator(".run-act")).to_contain_text("The baseline of its plan")


def test_a_figure_is_the_same_in_a_browser_as_on_the_server(tuesday: Stack, page: Page) -> None:
    values = [0, 0.00002, 1.005, 2.045, 2.055, 2.675, 12.25, 12.35, 99.96, 100.5, 1001.4]
    page.goto(f"{tuesday.url}/login/")
    module = "import('/static/dashboard/format.js')"
    shown = page.evaluate(f"async (values) => values.map((await {module}).figure)", values)
    assert shown == [figure(value) for value in values]


def test_a_wrong_password_is_told_in_a_sentence(tuesday: Stack, page: Page) -> None:
    page.goto(f"{tuesday.url}/login/")
    page.get_by_label("Name", exact=True).fill("engineer")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("password")


def test_on_a_saturday_every_page_says_until_when_it_is_blocked(
    saturday: Stack, page: Page
) -> None:
    page.goto(saturday.url)
    expect(page.locator("main")).to_contain_text("Blocked, advised from")
    expect(page.locator("main")).to_contain_text("Saturday wedding day protection")
    refused = saturday.ask("http://127.0.0.1:9000").json()["run"]
    page.goto(f"{saturday.url}/runs/{refused}/")
    expect(page.locator("main")).to_contain_text("Next safe window")
    expect(page.locator("main")).to_contain_text("15 Jun 2026")
