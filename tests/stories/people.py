"""Who uses the stack, and how: in a browser, or with a session of the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from tests.stories.stack import Stack

API = "/api/load-testing"


@contextmanager
def logged_in(stack: Stack, name: str, password: str = "") -> Iterator[httpx.Client]:
    """A session that has logged in as a person does it, for pages and the API."""
    with httpx.Client(
        base_url=stack.url, trust_env=False, timeout=20, follow_redirects=True
    ) as client:
        client.get("/login/")
        words = {"username": name, "password": password or stack.people[name]}
        client.post("/login/", data=words | {"csrfmiddlewaretoken": client.cookies["csrftoken"]})
        token = client.cookies["csrftoken"]
        client.headers.update({"X-CSRFToken": token, "Referer": stack.url, "Origin": stack.url})
        yield client


def page_of(browser: Browser, stack: Stack, name: str) -> Page:
    """A page of somebody who is logged in to the admin."""
    page = browser.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{stack.url}/admin/login/")
    page.fill("#id_username", name)
    page.fill("#id_password", stack.people[name])
    page.click("[type=submit]")
    return page


@contextmanager
def wedding(keeper: httpx.Client, **words: Any) -> Iterator[dict[str, Any]]:
    """In the calendar for as long as the block lasts, as the API tells it."""
    made = keeper.post(f"{API}/weddings", json={"title": "Ada & Grace", "zone": "UTC"} | words)
    assert made.status_code == 201, made.text
    try:
        yield made.json()
    finally:
        keeper.delete(f"{API}/weddings/{made.json()['id']}").raise_for_status()
