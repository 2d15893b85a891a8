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
        if differing := [str(entry) for entry in entries if not self._agrees(entry)]:
            which = f"entry {', '.join(differing)}"
            raise CommandError(f"Today's rules answer {which} differently, on the same calendar.")

    def _agrees(self, entry: int) -> bool:
        try:
            kept = audit.read(entry_id=entry)
            found = replay.replay(kept.data)
        except (audit.UnknownEntry, ValueError) as error:
            raise CommandError(f"Entry {entry}: {error}") from None
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
        else:
            self._tell("Today", found.today)
        return found.agrees

    def _tell(self, when: str, verdict: Verdict) -> None:
        self.stdout.write(f"{when}: {'safe' if verdict.safe else 'blocked'}: {verdict.reason}")
        for blocker in verdict.blockers:
            self.stdout.write(f"  {blocker.what}")
