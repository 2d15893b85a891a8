"""The embedded stack's demo people, and the demo's sample calendar around the present."""

import json
from argparse import ArgumentParser
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction

import clock
from access import services as access

SOURCE = "demo"
SATURDAY = 5
STAFF = {"engineer", "coordinator", "ops"}  # schedules and holds are in the admin


class Sample(NamedTuple):
    title: str
    weeks: int  # from now
    weekday: int
    zone: str
    first: int  # hours of the day
    last: int
    guests: int


# No Monday to Thursday: those stay quiet.
WEDDINGS = (
    Sample("Amelia & Oliver", 0, SATURDAY, "Europe/London", 13, 23, 120),
    Sample("Sofia & Mateo", 0, SATURDAY, "Europe/Madrid", 17, 23, 180),
    Sample("Hannah & Jonas", 1, SATURDAY, "Europe/Berlin", 14, 23, 95),
    Sample("Priya & Daniel", 1, SATURDAY + 1, "Europe/London", 11, 18, 60),
    Sample("Grace & Thomas", 2, SATURDAY, "Europe/London", 12, 22, 140),
    Sample("Chloé & Hugo", 3, SATURDAY - 1, "Europe/Paris", 16, 23, 80),
)


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page, and the demo waits for this command
    help = "Create or refresh the demo people and, with --calendar, a few sample weddings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=Path, help="JSON file: role -> password")
        parser.add_argument("--calendar", action="store_true", help="refresh the sample weddings")
        scene = "print the engineer's API token and the weddings added by hand, as JSON"
        parser.add_argument("--scene", action="store_true", help=scene)

    def handle(
        self, *args: Any, people: Path | None, calendar: bool, scene: bool, **options: Any
    ) -> None:
        if people:
            for role, password in json.loads(people.read_text(encoding="utf-8")).items():
                access.add_person(username=role, password=password, role=role, staff=role in STAFF)
        if calendar:
            refresh_calendar(now=clock.now())
        if scene:
            self.stdout.write(json.dumps({"token": issue_token(), "by_hand": added_by_hand()}))


@transaction.atomic
def refresh_calendar(*, now: datetime) -> None:
    """The sample weddings lie around `now` again, whatever was done to them; others stay."""
    titles = [sample.title for sample in WEDDINGS]
    _weddings().filter(source=SOURCE).exclude(uid__in=titles).delete()
    for sample in WEDDINGS:
        _weddings().update_or_create(
            source=SOURCE, uid=sample.title, defaults=facts(sample, now=now)
        )


def facts(sample: Sample, *, now: datetime) -> dict[str, Any]:
    zone = ZoneInfo(sample.zone)
    today = now.astimezone(zone).date()
    day = today + timedelta(days=sample.weekday - today.weekday(), weeks=sample.weeks)
    starts_at, ends_at = (
        datetime.combine(day, time(hour), zone) for hour in (sample.first, sample.last)
    )
    return {
        "title": sample.title,
        "zone": sample.zone,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "setup": timedelta(hours=2),
        "teardown": timedelta(hours=1),
        "status": "confirmed",
        "completed_at": None,
        "guests": sample.guests,
    }


def added_by_hand() -> list[int]:
    return list(_weddings().exclude(source=SOURCE).values_list("pk", flat=True))


def issue_token() -> str:
    return access.issue_token(
        username="engineer", scopes=(), now=clock.real_now(), lifetime=timedelta(days=1)
    )


def _weddings() -> Any:
    return apps.get_model("calendar_guard", "Wedding").objects
