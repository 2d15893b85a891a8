"""What people write beside a run that is there already: tags to find it by, and notes."""

import re
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import services as audit
from runs.finding import find_run
from runs.models import Run
from runs.request import Invalid
from runs.wording import RunWord, run_word

MOST_TAGS, LONGEST_TAG, LONGEST_NOTES = 20, 40, 10_000
_TAG = re.compile(r"[^\W_][\w .:/+-]*")


def annotate(
    *, run_id: str, by: str, now: datetime, tags: object = None, notes: object = None
) -> RunWord:
    """Replace a run's tags or notes, those that are given. Raises Invalid or UnknownRun.

    The audit log hears that they changed, not what they say: people write names there.
    """
    run = find_run(run_id)
    facts: dict[str, Any] = {}
    if tags is not None:
        facts["tags"] = read_tags(tags)
    if notes is not None:
        facts["notes"] = _read_notes(notes)
    changed = [name for name, value in facts.items() if getattr(run, name) != value]
    if changed:
        with transaction.atomic():
            Run.objects.filter(pk=run.pk).update(**facts)
            data = {"changed": changed}
            audit.record(action="annotate", actor=by, subject=f"run {run.pk}", data=data, now=now)
    return run_word(find_run(run_id))


def read_tags(words: object) -> list[str]:
    """Tags in small letters, each once. Raises Invalid."""
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise Invalid("tags", 'Write a list of words: ["rsvp", "nightly"].')
    tags = list(dict.fromkeys(" ".join(word.lower().split()) for word in words))
    for tag in tags:
        if not _TAG.fullmatch(tag) or len(tag) > LONGEST_TAG:
            shown = tag[:LONGEST_TAG].encode(errors="replace").decode()  # half a character is sent
            raise Invalid(
                "tags",
                f"“{shown}” is no tag: begin with a letter or a digit, go on with "
                f"those, spaces and . : / + - _, up to {LONGEST_TAG} characters.",
            )
    if len(tags) > MOST_TAGS:
        raise Invalid("tags", f"A run has at most {MOST_TAGS} tags.")
    return tags


def _read_notes(text: object) -> str:
    if not isinstance(text, str) or len(text) > LONGEST_NOTES:
        raise Invalid("notes", f"Notes are text of at most {LONGEST_NOTES} characters.")
    return text.strip()
