"""What a month's page shows: whole weeks in one zone, each day with its weddings and safe hours."""

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from calendar_guard import zones
from calendar_guard.words import Window

FEW = 4  # lines a day, before "and 12 more"
FIRST_YEAR, LAST_YEAR = 2001, 2198
_DAY, _USUAL = timedelta(days=1), timedelta(hours=24)
_WEEKS = Calendar(firstweekday=0)


@dataclass(frozen=True, slots=True)
class Occasion:
    """A wedding or a hold; `zone` is the clock that its people read."""

    kind: str
    id: int
    title: str
    status: str
    zone: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """An occasion on one of its days: `14:00 (15:00 Berlin)`, `all day`, `until 02:00`."""

    occasion: Occasion
    when: str
    continues: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """Safe hours, in per cent of their day's length."""

    left: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Day:
    date: date
    span: Window
    in_month: bool
    is_today: bool
    is_over: bool
    is_protected: bool
    lines: tuple[Line, ...]
    more: int
    safe: tuple[Stretch, ...]

    @property
    def words(self) -> str:
        """`safe 06:00-13:45, 18:15-24:00`; nothing where the day is over."""
        if self.is_over:
            return ""
        if not self.safe:
            return "no safe hours"
        if self.safe[0].width == 100:
            return "safe all day"
        return "safe " + ", ".join(stretch.words for stretch in self.safe)


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    zone: str
    weeks: tuple[tuple[Day, ...], ...]
    previous: date | None
    following: date | None


def read_month(text: str) -> date:
    """The first of `2026-06`. Raises ValueError with a sentence."""
    year, dash, month = text.partition("-")
    is_written = dash and len(year) == 4 and len(month) == 2 and (year + month).isdecimal()
    if not is_written or not 1 <= int(month) <= 12:
        raise ValueError(f"“{text}” is no month; write 2026-06.")
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ValueError(f"Ask for a year between {FIRST_YEAR} and {LAST_YEAR}.")
    return date(int(year), int(month), 1)


def month_of(moment: datetime, zone: str) -> date:
    return moment.astimezone(zones.find(zone)).date().replace(day=1)


def span_of(first: date, zone: str) -> Window:
    """From the first Monday shown to the last Sunday."""
    dates = list(_WEEKS.itermonthdates(first.year, first.month))
    return Window(zones.local_day(zone, dates[0])[0], zones.local_day(zone, dates[-1])[1])


def lay_out(
    *,
    first: date,
    zone: str,
    occasions: Iterable[Occasion],
    free: Sequence[Window],
    protected_weekdays: Iterable[int],
    now: datetime,
) -> Month:
    """`free` are the safe windows in `span_of` the month, by start."""
    weeks = _WEEKS.monthdatescalendar(first.year, first.month)
    by_day = _by_day(occasions, weeks[0][0], weeks[-1][-1], zone)
    today, weekdays = now.astimezone(zones.find(zone)).date(), frozenset(protected_weekdays)

    def day(at: date) -> Day:
        span = Window(*zones.local_day(zone, at))
        there = by_day.get(at, [])
        return Day(
            date=at,
            span=span,
            in_month=at.month == first.month,
            is_today=at == today,
            is_over=at < today,
            is_protected=at.weekday() in weekdays,
            lines=tuple(_line(one, span, zone) for one in there[:FEW]),
            more=len(there[FEW:]),
            safe=tuple(_stretch(gap, span, zone) for gap in free if gap.touches(span)),
        )

    return Month(
        first=first,
        zone=zone,
        weeks=tuple(tuple(day(at) for at in week) for week in weeks),
        previous=_beside(first - _DAY),
        following=_beside(first + 31 * _DAY),
    )


def _beside(at: date) -> date | None:
    return at.replace(day=1) if FIRST_YEAR <= at.year <= LAST_YEAR else None


def _by_day(
    occasions: Iterable[Occasion], first: date, last: date, zone: str
) -> dict[date, list[Occasion]]:
    tz = zones.find(zone)
    found: dict[date, list[Occasion]] = {}
    # By start, so that what continues from the day before stands first.
    for occasion in sorted(occasions, key=lambda one: (one.start, one.id)):
        begins = occasion.start.astimezone(tz).date()
        ends = (occasion.end - timedelta(microseconds=1)).astimezone(tz).date()
        at = max(begins, first)
        while at <= min(max(begins, ends), last):
            found.setdefault(at, []).append(occasion)
            at += _DAY
    return found


def _line(occasion: Occasion, day: Window, zone: str) -> Line:
    return Line(occasion, _when(occasion, day, zone), occasion.start < day.start)


def _when(occasion: Occasion, day: Window, zone: str) -> str:
    if occasion.start >= day.start:
        moment, said = occasion.start, ""
    elif occasion.end < day.end:
        moment, said = occasion.end, "until "
    else:
        return "all day"
    here, there = (moment.astimezone(zones.find(name)) for name in (zone, occasion.zone))
    if here.replace(tzinfo=None) == there.replace(tzinfo=None):
        return f"{said}{here:%H:%M}"
    weekday = "" if here.date() == there.date() else f"{there:%a} "
    return f"{said}{here:%H:%M} ({weekday}{there:%H:%M} {zones.city(occasion.zone)})"


def _stretch(gap: Window, day: Window, zone: str) -> Stretch:
    start, end = max(gap.start, day.start), min(gap.end, day.end)
    length = day.end - day.start
    return Stretch(
        left=round(100 * ((start - day.start) / length), 2),
        width=round(100 * ((end - start) / length), 2),
        words=f"{_clock(start, day, zone)}–{_clock(end, day, zone)}",
    )


def _clock(moment: datetime, day: Window, zone: str) -> str:
    """`13:45`, and `24:00` for the day's end; on a DST day with the zone's word, `01:30 BST`."""
    if moment == day.end:
        return "24:00"
    local = moment.astimezone(zones.find(zone))
    return f"{local:%H:%M}" if day.end - day.start == _USUAL else f"{local:%H:%M %Z}"
