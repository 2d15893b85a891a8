"""A venue's calendar in a file, and what the stack knows of it."""

from datetime import datetime
from pathlib import Path

from playwright.sync_api import Page

from tests.stories.stack import Stack

EVENT = """BEGIN:VEVENT
UID:{uid}@venue.example
DTSTAMP:20260101T000000Z
SUMMARY:Ada & Grace
DTSTART:{start:%Y%m%dT%H%M%SZ}
DTEND:{end:%Y%m%dT%H%M%SZ}
END:VEVENT
"""


def event(uid: int, start: datetime, end: datetime) -> str:
    return EVENT.format(uid=uid, start=start, end=end)


def write_calendar(path: Path, *events: str) -> None:
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//venue//EN\n{''.join(events)}END:VCALENDAR\n"
    path.write_text(text.replace("\n", "\r\n"))


def feed_state(stack: Stack) -> str:
    feeds = stack.ask_calendar("policy")["calendar"]["feeds"]
    return str(feeds[0]["state"]) if feeds else "none"


def read_now(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/admin/calendar_guard/feed/")
    page.check("#result_list .action-select")
    page.select_option("[name=action]", label="Read now")
    page.click("[name=index]")
