"""What a coordinator types into the admin, and the tests that run meanwhile."""

import re
from html import unescape
from typing import Any

from calendar_guard.models import Wedding
from tests.calendar_guard.examples import BERLIN, HOUR, LONDON, at

LIST = "/admin/calendar_guard/wedding/"
ADD = f"{LIST}add/"
HOLDS, FEEDS = "/admin/calendar_guard/hold/", "/admin/calendar_guard/feed/"
NOW = at("2026-06-10 10:00", LONDON)
PEOPLE = "Wedding_coordinators"


def typed(starts: str, ends: str, zone: str = BERLIN, **changes: str) -> dict[str, str]:
    """A wedding's form without people."""
    (start_day, start_time), (end_day, end_time) = starts.split(), ends.split()
    return {
        "title": "Ada & Grace",
        "zone": zone,
        "setup": "02:00:00",
        "teardown": "01:00:00",
        "status": "confirmed",
        "starts_local_0": start_day,
        "starts_local_1": start_time,
        "ends_local_0": end_day,
        "ends_local_1": end_time,
        f"{PEOPLE}-TOTAL_FORMS": "0",
        f"{PEOPLE}-INITIAL_FORMS": "0",
    } | changes


def people(*rows: dict[str, Any], known: int = 0) -> dict[str, str]:
    """The rows beside a wedding, of which `known` were there before."""
    counts = {f"{PEOPLE}-TOTAL_FORMS": str(len(rows)), f"{PEOPLE}-INITIAL_FORMS": str(known)}
    filled = ({"language": "en-gb"} | row for row in rows)
    return counts | {
        f"{PEOPLE}-{number}-{name}": str(value)
        for number, row in enumerate(filled)
        for name, value in row.items()
    }


def page_of(wedding: Wedding) -> str:
    return f"{LIST}{wedding.pk}/change/"


def save(**changes: Any) -> Wedding:
    facts = {"title": "Ada & Grace", "zone": BERLIN, "starts_at": NOW, "ends_at": NOW + 8 * HOUR}
    return Wedding.objects.create(**(facts | changes))


def carried(page: str) -> list[tuple[str, str]]:
    """The hidden fields of a question, as a browser would send them on."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return [(name, unescape(value)) for name, value in fields if name != "csrfmiddlewaretoken"]


def seen(page: str) -> str:
    """What the button that says yes sends."""
    found = re.search(r'name="_stops" value="([^"]*)"', page)
    assert found, page
    return found[1]
