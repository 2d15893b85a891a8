"""Proves that no audit entry was changed, removed or put in; exits 1 at the first that was."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import services


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Check the chain of audit entries from the first to the last."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head", metavar="HASH", help="prove that this hash, noted earlier, is still in it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        noted = (options["head"] or "").strip().lower()
        if options["head"] is not None and not re.fullmatch(r"[0-9a-f]{64}", noted):
            raise CommandError(f"{options['head']!r} is no head: it has 64 hexadecimal digits.")
        found = services.verify(noted=noted) if noted else services.verify()
        if found.broken:
            raise CommandError(
                f"Entry {found.broken.id} is the first that does not hold: {found.broken.why}."
                f" Unbroken before it: {found.count:,}."
            )
        if not found.holds_noted:
            raise CommandError(
                f"No entry has the hash {noted}: the end of the chain was cut off, or all of it"
                f" was written anew. Unbroken as far as it goes: {found.count:,}."
            )
        self._tell(found, noted)

    def _tell(self, found: services.Verified, noted: str) -> None:
        self.stdout.write(f"{found.count:,} audit entries, unbroken from the first to the last.")
        if noted:
            self.stdout.write("The hash that you noted is still among them.")
        self.stdout.write(f"Head: {found.head}")
        self.stdout.write("Keep this hash elsewhere: it shows if the end is ever cut off.")
