"""An API token for one person, alone on standard output; it can be read only this once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

import clock
from access import services

MOST_DAYS = 3650


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Issue an API token to a person and print it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        within = f"how long it is valid, 1 to {MOST_DAYS} (30)"
        parser.add_argument("--days", type=int, default=30, help=within)
        parser.add_argument("--scope", action="append", default=[], help="limit it to a permission")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days takes a number from 1 to {MOST_DAYS}, not {days}.")
        try:
            token = services.issue_token(
                username=options["username"],
                scopes=options["scope"],
                now=clock.real_now(),
                lifetime=timedelta(days=days),
            )
        except (services.UnknownPerson, services.UnknownPermission) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(token)
