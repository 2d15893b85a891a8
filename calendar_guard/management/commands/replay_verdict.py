"""Why was this allowed? Judges an old question again, on the calendar as it was then."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import services as audit
from calendar_guard import replay, rules
from calendar_guard.words import Verdict


class Command(BaseCommand):
    help = "Replay a verdict from the audit log; exits 1 where today's rules would not agree."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = "the audit entry's id: /admin/audit/entry/?action=verdict lists them"
        parser.add_argument("entry", type=int, metavar="ID", help=what)

    def handle(self, *args: Any, entry: int, **options: Any) -> None:
        try:
            kept = audit.read(entry_id=entry)
            found = replay.replay(kept.data)
        except (audit.UnknownEntry, ValueError) as error:
            raise CommandError(f"Entry {entry}: {error}") from None
        asked = kept.data["asked"]
        versions = kept.data["versions"]
        self.stdout.write(
            f"{kept.subject}, asked by {kept.actor} at {asked['now']}:"
            f" from {asked['start']} for {asked['duration']}.\n"
            f"Calendar {versions['calendar']}, rules {versions['rules']} (today {rules.VERSION}),"
            f" zone data {versions['zones']}."
        )
        self._tell("Then", found.then)
        if not found.agrees:
            self._tell("Today", found.today)
            raise CommandError("Today's rules answer differently to the same calendar.")
        self.stdout.write("Judged again: the same answer.")

    def _tell(self, when: str, verdict: Verdict) -> None:
        self.stdout.write(f"{when}: {'safe' if verdict.safe else 'blocked'}: {verdict.reason}")
        for blocker in verdict.blockers:
            self.stdout.write(f"  {blocker.what}")
