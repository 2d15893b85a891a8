"""Kept seconds as spans of 10 s and 1 min: counts add, sketches merge, and nothing is averaged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from runs.samples import Key, Tally, cells
from runs.samples.percentiles import percentiles
from runs.samples.sketch import Sketch

WIDTHS = (1, 10, 60)


@dataclass(frozen=True, slots=True)
class Span:
    """A second of a run, or several as one, `width` long from `at` on.

    `data` are its words as streamed; where it was rolled up they also hold `seconds`, how many were
    kept in it. `cells` are empty where one of them was kept before cells were.
    """

    at: datetime
    seq: int
    width: int
    data: Mapping[str, Any]
    sketch: bytes
    cells: bytes


def start_of(at: datetime, width: int) -> datetime:
    """Where the span of this width begins that holds the instant: full minutes, full tens."""
    return at - timedelta(seconds=at.timestamp() % width)


def roll(spans: Iterable[Span], width: int) -> list[Span]:
    """Join spans, given by time, into wider ones. What is rolled twice is as if rolled once."""
    groups = groupby(spans, key=lambda span: start_of(span.at, width))
    return [_join(at, list(parts), width) for at, parts in groups]


def merged_sketch(spans: Iterable[Span]) -> Sketch:
    made = Sketch()
    for span in spans:
        if span.sketch:
            made.merge(Sketch.from_bytes(span.sketch))
    return made


def merged_cells(spans: Sequence[Span]) -> dict[Key, Tally] | None:
    """None where a span was kept without its cells: a part would pass for the whole."""
    if not all(span.cells for span in spans):
        return None
    return cells.merge(cells.unpack(span.cells) for span in spans)


def _join(at: datetime, parts: Sequence[Span], width: int) -> Span:
    sketch, found = merged_sketch(parts), merged_cells(parts)
    return Span(
        at=at,
        seq=max(part.seq for part in parts),
        width=width,
        data=_words(at, [part.data for part in parts], sketch),
        sketch=sketch.to_bytes(),
        cells=b"" if found is None else cells.pack(found),
    )


def _words(at: datetime, parts: Sequence[Mapping[str, Any]], sketch: Sketch) -> dict[str, Any]:
    """Requests a second are over the seconds that were kept: a gap is not a zero."""
    requests, errors = (sum(part[name] for part in parts) for name in ("requests", "errors"))
    seconds = sum(part.get("seconds", 1) for part in parts)
    users = [part["users"] for part in parts if part["users"] is not None]
    return {
        "seq": max(part["seq"] for part in parts),
        "at": at.isoformat(),
        "final": True,
        "seconds": seconds,
        "requests": requests,
        "rps": round(requests / seconds, 3),
        "errors": errors,
        "error_rate": round(errors / requests, 6) if requests else 0.0,
        "users": max(users, default=None),
        "tags": parts[-1]["tags"],
        **percentiles(sketch),
    }
