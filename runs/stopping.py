"""Stopping is always allowed: what waits ends at once, what runs is confirmed by its worker."""

from datetime import datetime

from calendar_guard import services as calendar_guard
from runs import fanout, moves, tasks
from runs.fencing.places import locate
from runs.finding import find_run
from runs.models import GOING, OPEN, WAITING, Run, State
from runs.outcome import Outcome
from runs.request import Invalid
from runs.waiting import queue
from runs.wording import RunWord, run_word


def stop(*, run_id: str, by: str, now: datetime, why: str = "stop was pressed") -> RunWord:
    """Ask for a run's end: always allowed, idempotent, confirmed by the worker in seconds."""
    run = find_run(run_id)
    if run.state in OPEN:
        _revoke(run, by, why, now)
    _end(run, by, why, now)
    ended = find_run(run_id)
    if ended.permit_id != run.permit_id:  # it was let in at the same moment
        _revoke(ended, by, why, now)
    tasks.let_in(now)
    return run_word(ended)


def stop_all(*, by: str, why: str, now: datetime, site: str = "") -> list[RunWord]:
    """Stop whatever runs or waits for its turn, of one site (host:port) if named; newest first.

    What is scheduled for later stays: a hold in the calendar calls it off, and keeps it off.
    """
    runs = Run.objects.filter(state__in=OPEN).exclude(state=State.SCHEDULED)
    if site:
        runs = runs.filter(site__in=_names_of(site))
    # Those that wait go first, so that none of them is let in by the end of another.
    ids = sorted(runs.values_list("state", "pk"), key=lambda row: row[0] not in WAITING)
    for _, pk in ids:
        stop(run_id=str(pk), by=by, now=now, why=why)
    stopped = Run.objects.select_related("requested_by").filter(pk__in=[pk for _, pk in ids])
    return [run_word(run) for run in stopped]


def _names_of(site: str) -> set[str]:
    """As it was written, and as runs have it: 127.0.0.1:9000 is localhost:9000."""
    try:
        return {site, locate(f"http://{site}", {}).site}
    except Invalid:
        return {site}


def _revoke(run: Run, by: str, why: str, now: datetime) -> None:
    if run.permit_id is not None:
        calendar_guard.revoke(permit_id=run.permit_id, by=by, why=why, now=now)


def _end(run: Run, by: str, why: str, now: datetime) -> None:
    outcome = Outcome("aborted", f"Stopped by {by} before it began: {why}.")
    if queue.end(run, outcome, by=by, now=now):
        fanout.close_stream(run.pk, outcome.as_json())
    else:
        moves.move(run.pk, of=GOING, to=State.STOPPING, by=by, why=why, now=now)
