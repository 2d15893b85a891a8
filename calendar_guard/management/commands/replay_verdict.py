"""Why was this allowed? Judges old questions again, on the calendar as it was then."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import services as audit
from calendar_guard import replay, rules
from calendar_guard.words import Verdict


class Command(BaseCommand):
    help = "Replay verdicts from the audit log; exits 1 where today's rules would not agree."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = "an audit entry's id: /admin/audit/entry/?action=verdict lists them"
        parser.add_argument("entries", type=int, nargs="+", metavar="ID", help=what)

    def handle(self, *args: Any, entries: list[int], **options: Any) -> None:
        if complaints := [told for entry in entries if (told := self._replay(entry))]:
            raise CommandError("\n".join(complaints))

    def _replay(self, entry: int) -> str:
        """What is wrong with it; empty where today's answer is the same."""
        try:
            kept = audit.read(entry_id=entry)
            found = replay.replay(kept.data)
        except (audit.UnknownEntry, ValueError) as error:
            return f"Entry {entry}: {error}"
        asked = kept.data["asked"]
        versions = kept.data["versions"]
        self.stdout.write(
            f"Entry {entry}: {kept.subject}, asked by {kept.actor} at {asked['now']}:"
            f" from {asked['start']} for {asked['duration']}.\n"
            f"Calendar {versions['calendar']}, rules {versions['rules']} (today {rules.VERSION}),"
            f" zone data {versions['zones']}."
        )
        self._tell("Then", found.then)
        if found.agrees:
            self.stdout.write("Judged again: the same answer.")
            return ""
        self._tell("Today", found.today)
        return f"Entry {entry}: today's rules answer differently, on the same calendar."

    def _tell(self, when: str, verdict: Verdict) -> None:
        self.stdout.write(f"{when}: {'safe' if verdict.safe else 'blocked'}: {verdict.reason}")
        for blocker in verdict.blockers:
            self.stdout.write(f"  {blocker.what}")
