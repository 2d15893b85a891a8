"""The embedded stack's demo people, and the demo's sample calendar around the present."""

import json
from argparse import ArgumentParser
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.management import call_command
from django.core.management.base import BaseCommand

import clock
from access import services as access

SOURCE = "demo"
SATURDAY = 5
STAFF = {"coordinator", "ops"}
# Weeks from now, weekday, zone, hours of the day, guests. No Monday to Thursday: those stay quiet.
WEDDINGS = (
    ("Amelia & Oliver", 0, SATURDAY, "Europe/London", 13, 23, 120),
    ("Sofia & Mateo", 0, SATURDAY, "Europe/Madrid", 17, 23, 180),
    ("Hannah & Jonas", 1, SATURDAY, "Europe/Berlin", 14, 23, 95),
    ("Priya & Daniel", 1, SATURDAY + 1, "Europe/London", 11, 18, 60),
    ("Grace & Thomas", 2, SATURDAY, "Europe/London", 12, 22, 140),
    ("Chloé & Hugo", 3, SATURDAY - 1, "Europe/Paris", 16, 23, 80),
)


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page, and the demo waits for this command
    help = "Create or refresh the demo people and, with --calendar, a few sample weddings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=Path, help="JSON file: role -> password")
        parser.add_argument("--calendar", action="store_true", help="add sample weddings")
        parser.add_argument("--token", action="store_true", help="print the engineer's API token")

    def handle(
        self, *args: Any, people: Path | None, calendar: bool, token: bool, **options: Any
    ) -> None:
        if people:
            access.sync_roles()
            for role, password in json.loads(people.read_text(encoding="utf-8")).items():
                access.add_person(username=role, password=password, role=role, staff=role in STAFF)
        if calendar:
            for row in WEDDINGS:
                add_wedding(*row, now=clock.now())
        if token:
            call_command("issue_token", "engineer", days=1, stdout=self.stdout)


def add_wedding(
    title: str,
    weeks: int,
    weekday: int,
    zone: str,
    first: int,
    last: int,
    guests: int,
    *,
    now: datetime,
) -> None:
    """On that weekday of that week; the same wedding is never added twice."""
    today = now.astimezone(ZoneInfo(zone)).date()
    day = today + timedelta(days=weekday - today.weekday(), weeks=weeks)
    starts_at, ends_at = (
        datetime.combine(day, time(hour), ZoneInfo(zone)) for hour in (first, last)
    )
    apps.get_model("calendar_guard", "Wedding").objects.get_or_create(
        source=SOURCE,
        uid=f"{title} {day}",
        defaults={
            "title": title,
            "zone": zone,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "guests": guests,
        },
    )
