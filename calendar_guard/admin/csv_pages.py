"""Weddings out of the admin as CSV and in again: all is looked at before any of it is kept."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

import clock
from calendar_guard.admin import impact
from calendar_guard.models import Wedding
from calendar_guard.weddings import csv_words, keeping
from calendar_guard.weddings.csv_words import Problem, Row
from calendar_guard.weddings.drafts import Written, WrongWeddings
from calendar_guard.weddings.facts import WeddingFacts, WrongWords, read_wedding, write_kept

MOST_EXPORTED = 20_000
# A file may say something new of weddings and of coordinators that are known.
IMPORT = tuple(
    f"calendar_guard.{may}" for may in ("add_wedding", "change_wedding", "change_coordinator")
)
PROBLEMS_SHOWN, ROWS_SHOWN = 100, 20
LIST = "admin:calendar_guard_wedding_changelist"
TEMPLATE = "admin/calendar_guard/csv_import.html"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in a file, before anything of it is kept: problems, or what it would do."""

    text: str
    rows: tuple[Row, ...] = ()
    facts: tuple[WeddingFacts, ...] = ()
    problems: tuple[Problem, ...] = ()
    would: Written | None = None

    @property
    def seen(self) -> set[str]:
        """The tests that it would stop, those included that are let in for later."""
        return {str(permit.id) for permit in self.would.stopped} if self.would else set()


def export_csv(request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> HttpResponse:
    """The weddings of the list as it is filtered now."""
    if not request.user.has_perm("calendar_guard.view_wedding"):
        raise PermissionDenied
    try:
        weddings = model_admin.get_changelist_instance(request).get_queryset(request)
    except IncorrectLookupParameters:
        return redirect(LIST)
    if (count := weddings.count()) > MOST_EXPORTED:
        said = f"These are {count:,} weddings; filter them to {MOST_EXPORTED:,} for one file."
        messages.error(request, said)
        back = redirect(LIST)
        back["Location"] += f"?{request.GET.urlencode()}"
        return back
    page = csv_words.write_rows(map(write_kept, weddings.prefetch_related("coordinators")))
    name = f"weddings-{clock.now():%Y-%m-%d}.csv"
    return HttpResponse(
        page,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def import_csv(request: HttpRequest) -> HttpResponse:
    """A file or pasted text: first what it says and would do, and with a yes it is done."""
    if not request.user.has_perms(IMPORT):
        raise PermissionDenied
    looked = _look(request) if request.method == "POST" else None
    if looked and looked.would and "keep" in request.POST:
        written = _keep(request, looked)
        if written:
            return _kept(request, written)
        looked = _look(request)
    now, stops = clock.now(), looked.would.stopped if looked and looked.would else ()
    matter = {
        **admin.site.each_context(request),
        "opts": Wedding._meta,
        "title": "Import weddings from CSV",
        "columns": csv_words.COLUMNS,
        "most_rows": csv_words.MOST_ROWS,
        "looked": looked,
        "stops": impact.count(stops, now),
        "tests": impact.rows(stops, now),
    }
    if looked:
        matter["problems"] = looked.problems[:PROBLEMS_SHOWN]
        matter["more_problems"] = len(looked.problems) - PROBLEMS_SHOWN
        matter["shown"] = looked.rows[:ROWS_SHOWN]
        matter["more_rows"] = len(looked.rows) - ROWS_SHOWN
        matter["seen"] = ",".join(sorted(looked.seen))
    return render(request, TEMPLATE, matter)


def _look(request: HttpRequest) -> Looked:
    text = request.POST.get("text", "")
    try:
        if upload := request.FILES.get("file"):
            text = csv_words.decode(upload.read(csv_words.LARGEST + 1))
        else:
            csv_words.decode(text.encode("utf-8", "replace"))
        rows, problems = csv_words.read_rows(text)
    except csv_words.Unreadable as error:
        return Looked(text="", problems=error.problems)
    facts, wrong = _read(rows)
    looked = Looked(text, tuple(rows), tuple(facts), _in_order([*problems, *wrong]))
    return looked if looked.problems else _try(request, looked)


def _read(rows: list[Row]) -> tuple[list[WeddingFacts], list[Problem]]:
    facts, problems = [], []
    for row in rows:
        try:
            facts.append(read_wedding(row.words))
        except WrongWords as wrong:
            problems += _problems(row, wrong.errors)
    return facts, problems


def _try(request: HttpRequest, looked: Looked) -> Looked:
    try:
        return replace(looked, would=keeping.preview_of(partial(_put, request, looked)))
    except WrongWeddings as wrong:
        found = (_problems(looked.rows[index], wrong.errors[index]) for index in wrong.errors)
        return replace(looked, problems=_in_order(sum(found, [])))


def _put(request: HttpRequest, looked: Looked) -> Written:
    return keeping.put_weddings(
        facts=looked.facts,
        ids=[row.id for row in looked.rows],
        by=request.user.get_username(),
        now=clock.now(),
        may_change_people=True,
    )


def _keep(request: HttpRequest, looked: Looked) -> Written | None:
    """None, with a word why, and nothing kept, where it comes to more than was looked at."""
    shown = set(request.POST.get("seen", "").split(","))
    said = "Tests were begun or scheduled meanwhile that this would stop: look again."
    try:
        with transaction.atomic():
            written = _put(request, looked)
            if {str(permit.id) for permit in written.stopped} <= shown:
                return written
            transaction.set_rollback(True)
    except WrongWeddings:
        said = "The calendar was changed meanwhile: look again."
    messages.warning(request, said)
    return None


def _kept(request: HttpRequest, written: Written) -> HttpResponseRedirect:
    said = f"{written.new} new, {written.changed} changed, {written.unchanged} unchanged."
    messages.success(request, f"Imported: {said}")
    if written.stopped:
        impact.tell(request, written.stopped)
    return redirect(LIST)


def _problems(row: Row, errors: dict[str, str]) -> list[Problem]:
    return [Problem(row.line, name, said) for name, said in errors.items()]


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    """By line and column; what one reading found is not said twice."""
    order = {name: index for index, name in enumerate(csv_words.COLUMNS)}
    first = {(problem.line, problem.column): problem for problem in reversed(problems)}
    return tuple(sorted(first.values(), key=lambda one: (one.line, order.get(one.column, -1))))
