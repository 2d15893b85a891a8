"""What is kept of a run: seconds for days, spans of 10 s for months, minutes for good.

A span is written once, when no second of it can come any more. Nothing is forgotten before all of
its run stands in wider spans.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Max, Min, QuerySet

from runs.models import OPEN, Run, Snapshot
from runs.past.rollup import WIDTHS, Span, roll, start_of

# A worker that went silent may still be writing for a while.
SETTLED = timedelta(minutes=1)
CHUNK, RUNS, FORGOTTEN, ROUNDS = 600, 50, 500, 200


def spans_of(run_id: int, width: int) -> list[Span]:
    """The spans of a run by time, those included that are not rolled up yet."""
    found = _kept_width(run_id, width)
    return _from(run_id, found, None)


def words_of(run_id: int, width: int) -> list[dict[str, Any]]:
    """What was streamed of a run, or the same words of wider spans, by time.

    Where this width was forgotten the next wider one stands in: each word tells its `width`.
    """
    found = _kept_width(run_id, width)
    stored = list(_rows(run_id, found, None).values_list("at", "data"))
    words = [data for _, data in stored]
    if found != WIDTHS[0]:
        end = stored[-1][0] + timedelta(seconds=found) if stored else None
        words += [span.data for span in roll(_from(run_id, _finer(found), end), found)]
    return [word | {"width": found} for word in words]


def roll_up(*, now: datetime) -> None:
    """Write the spans that are whole by now, of running tests too."""
    due = Run.objects.filter(rolled_at=None, started_at__isnull=False).order_by("pk")
    for run in due.only("state", "ended_at")[:RUNS]:
        is_over = run.state not in OPEN
        is_settled = is_over and (run.ended_at is None or run.ended_at + SETTLED <= now)
        for finer, width in pairwise(WIDTHS):
            while _roll_some(run.pk, finer, width, is_settled=is_settled):
                pass
        if is_settled:
            Run.objects.filter(pk=run.pk).update(rolled_at=now)


def forget(*, now: datetime, keep: Mapping[int, timedelta]) -> int:
    """Delete spans of runs that ended longer ago than their width is kept; how many went.

    In small transactions: a run that is being measured writes between them.
    """
    gone = 0
    for width, span in keep.items():
        old = Snapshot.objects.filter(
            width=width, run__rolled_at__isnull=False, run__ended_at__lt=now - span
        )
        for _ in range(ROUNDS):
            ids = list(old.order_by("pk").values_list("pk", flat=True)[:FORGOTTEN])
            if not ids:
                break
            gone += Snapshot.objects.filter(pk__in=ids).delete()[0]
    return gone


def _roll_some(run_id: int, finer: int, width: int, *, is_settled: bool) -> bool:
    """One small transaction; True while there may be more. The last span may still grow."""
    newest = Snapshot.objects.filter(run_id=run_id, width=width).aggregate(at=Max("at"))["at"]
    end = newest and newest + timedelta(seconds=width)
    found = [_span(row) for row in _rows(run_id, finer, end)[:CHUNK]]
    is_all = len(found) < CHUNK
    made = roll(found, width)
    whole = made if is_settled and is_all else made[:-1]
    # Of two sweeps that meet, the constraint lets one write each span.
    Snapshot.objects.bulk_create(rows_of(run_id, whole), ignore_conflicts=True)
    return not is_all


def _kept_width(run_id: int, width: int) -> int:
    """This width, or the next wider one in which the run is kept from its beginning on."""
    rows = Snapshot.objects.filter(run_id=run_id).order_by().values_list("width")
    first: dict[int, datetime] = dict(rows.annotate(at=Min("at")))
    for wide in WIDTHS[WIDTHS.index(width) :]:
        own = min((at for finer, at in first.items() if finer <= wide), default=None)
        if own and all(start_of(own, wider) <= first[wider] for wider in first if wider > wide):
            return wide
    return width


def _from(run_id: int, width: int, since: datetime | None) -> list[Span]:
    kept = [_span(row) for row in _rows(run_id, width, since)]
    if width == WIDTHS[0]:
        return kept
    end = kept[-1].at + timedelta(seconds=width) if kept else since
    return kept + roll(_from(run_id, _finer(width), end), width)


def _finer(width: int) -> int:
    return WIDTHS[WIDTHS.index(width) - 1]


def _rows(run_id: int, width: int, since: datetime | None) -> QuerySet[Snapshot]:
    rows = Snapshot.objects.filter(run_id=run_id, width=width).order_by("at")
    return rows.filter(at__gte=since) if since else rows


def _span(row: Snapshot) -> Span:
    sketch, cells = bytes(row.sketch), bytes(row.cells)
    return Span(row.at, row.seq, row.width, row.data, sketch, cells)


def rows_of(run_id: int, spans: Iterable[Span]) -> list[Snapshot]:
    names = Span.__slots__
    return [
        Snapshot(run_id=run_id, **{name: getattr(span, name) for name in names}) for span in spans
    ]
