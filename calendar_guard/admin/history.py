"""Who changed what from what to what: `Change` rows as a person reads them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from calendar_guard import zones
from calendar_guard.models import Change, Wedding

_NAMES = {
    "wall_start": "start",
    "wall_end": "end",
    "zone": "time zone",
    "setup": "set-up",
    "teardown": "tear-down",
    "completed_at": "completed at",
}


@dataclass(frozen=True, slots=True)
class Row:
    at: str
    by: str
    field: str
    old: str
    new: str


def rows(wedding: Wedding, changes: Iterable[Change]) -> list[Row]:
    return [
        Row(
            zones.spoken(change.at, wedding.zone),
            change.by,
            _NAMES.get(change.field, change.field),
            _said(change.field, change.old, wedding.zone),
            _said(change.field, change.new, wedding.zone),
        )
        for change in changes
    ]


def _said(field: str, value: str, zone: str) -> str:
    if not value:
        return ""
    if field in {"wall_start", "wall_end"}:
        wall = datetime.fromisoformat(value)
        return f"{wall:%a} {wall.day} {wall:%b} {wall.year}, {wall:%H:%M}"
    if field == "completed_at":
        return zones.spoken(datetime.fromisoformat(value), zone)
    return value
