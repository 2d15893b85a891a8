"""Which runs a reader asks for, the newest first."""

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from runs.finding import read_id
from runs.models import Run
from runs.wording import RunWord, run_word

# Megabytes a row, which no word tells.
_LONG = ("script", "files", "ca")


def list_runs(
    *,
    limit: int = 100,
    state: str = "",
    tool: str = "",
    text: str = "",
    tag: str = "",
    plan: str = "",
    before: str = "",
) -> list[RunWord]:
    """`text` is part of the name; `plan` an id; `before` the last run of the page before.

    A zero byte finds nothing: no column holds one, and PostgreSQL takes none in a question.
    """
    if "\0" in state + tool + text:
        return []
    runs: QuerySet[Run] = Run.objects.select_related("requested_by", "plan")
    runs = runs.defer(*_LONG, *(f"plan__{name}" for name in _LONG))
    for name, value in (("state", state), ("tool", tool), ("name__icontains", text)):
        if value:
            runs = runs.filter(**{name: value})
    if plan:
        runs = runs.filter(plan_id=read_id(plan))
    if before:
        runs = runs.filter(pk__lt=read_id(before))
    if tag:
        runs = _with_tag(runs, tag.lower())
    return [run_word(run) for run in runs[:limit]]


def _with_tag(runs: QuerySet[Run], tag: str) -> QuerySet[Run]:
    """SQLite keeps JSON as it was written, with escapes; PostgreSQL keeps letters as they are."""
    told = runs.annotate(tags_told=Cast("tags", TextField()))
    plain = Q(tags_told__contains=json.dumps(tag, ensure_ascii=False))
    return told.filter(Q(tags_told__contains=json.dumps(tag)) | plain)
