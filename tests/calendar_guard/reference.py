"""The guard's sentences once more, minute by minute, without a line of `rules` but its words.

Everything protected is painted on a strip with one cell a minute; questions are asked of the strip.
Spans must therefore begin and end on whole minutes; the asked start may lie anywhere.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from calendar_guard.rules import Calendar, Policy, WeddingSpan

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
PAINT = b"\x01"
FOREVER = datetime(2999, 1, 1, tzinfo=UTC)
Span = tuple[datetime, datetime, str, str]  # from, until, rule, weekday


@dataclass(frozen=True)
class Answer:
    safe: bool
    reason: str
    blockers: list[Span]
    window: tuple[datetime, datetime] | None
    longest: tuple[datetime, datetime] | None  # where no window fits


def wedding_end(wedding: WeddingSpan, now: datetime) -> datetime:
    """Completed ends at the pressing; live goes on until completed, at least to its end."""
    if wedding.status == "completed" and wedding.completed_at:
        return wedding.completed_at
    if wedding.status == "live" and wedding.ends_at < now:
        return now
    return wedding.ends_at


def local_midnight(day: date, zone: ZoneInfo) -> set[datetime]:
    """The instants that midnight may mean: one, two in a fold, two guesses in a gap."""
    midnight = datetime.combine(day, time())
    around = (midnight.replace(tzinfo=UTC) + n * timedelta(hours=36) for n in (-1, 0, 1))
    offsets = {moment.astimezone(zone).utcoffset() or timedelta(0) for moment in around}
    guesses = {midnight.replace(tzinfo=UTC) - offset for offset in offsets}
    exact = {g for g in guesses if g.astimezone(zone).replace(tzinfo=None) == midnight}
    return exact or guesses


class Strip:
    def __init__(self, calendar: Calendar, first: datetime, last: datetime, now: datetime) -> None:
        self.policy: Policy = calendar.policy
        self.origin = first.replace(second=0, microsecond=0) - 2 * DAY
        self.length = (last + 3 * DAY - self.origin) // MINUTE
        self.any, self.days = bytearray(self.length), bytearray(self.length)
        self.spans = [*self.wedding_spans(calendar, now), *self.day_spans(calendar, now)]
        self.spans += [(hold.start, hold.end, "hold", "") for hold in calendar.holds]
        if calendar.complete_until:
            self.spans.append((calendar.complete_until, FOREVER, "stale_calendar", ""))
        for begins, ends, rule, _ in self.spans:
            self.paint(self.any, begins, ends)
            if rule == "protected_weekday":
                self.paint(self.days, begins, ends)

    def wedding_spans(self, calendar: Calendar, now: datetime) -> list[Span]:
        spans = []
        for wedding in calendar.weddings:
            begins = wedding.starts_at - wedding.setup
            ends = wedding_end(wedding, now) + wedding.teardown
            if wedding.status == "live":
                begins, ends = min(begins, now), max(ends, now + MINUTE)
            if wedding.status != "cancelled" and begins < ends:
                spans.append((begins, ends, "wedding", ""))
        return spans

    def day_spans(self, calendar: Calendar, now: datetime) -> list[Span]:
        names = set(calendar.policy.zones)
        for wedding in calendar.weddings:
            if wedding.status != "cancelled" and wedding_end(wedding, now) > now - 7 * DAY:
                names.add(wedding.zone)
        spans = []
        days = [self.origin.date() + n * DAY for n in range(self.length // 1440 + 2)]
        for day in days:
            if day.weekday() in calendar.policy.protected_weekdays:
                for name in names:
                    zone = ZoneInfo(name)
                    begins = min(local_midnight(day, zone))
                    ends = max(local_midnight(day + DAY, zone))
                    spans.append((begins, ends, "protected_weekday", f"{day:%A}"))
        return spans

    def paint(self, strip: bytearray, begins: datetime, ends: datetime) -> None:
        first = min(max(self.cell(begins), 0), self.length)
        last = min(max(self.cell(ends), first), self.length)
        strip[first:last] = PAINT * (last - first)

    def cell(self, moment: datetime) -> int:
        return (moment - self.origin) // MINUTE

    def cell_up(self, moment: datetime) -> int:
        return -((self.origin - moment) // MINUTE)

    def judged(self, start: datetime, duration: timedelta) -> tuple[int, int]:
        policy = self.policy
        first = self.cell(start - policy.buffer)
        return first, self.cell_up(start + duration + policy.stop_time + policy.buffer)

    def is_free(self, start: datetime, duration: timedelta) -> bool:
        return self.any.find(PAINT, *self.judged(start, duration)) < 0

    def first_free(self, start: datetime, duration: timedelta, limit: datetime) -> datetime | None:
        minute = self.origin + self.cell_up(start) * MINUTE
        while minute + duration <= limit:
            if self.is_free(minute, duration):
                return minute
            minute += MINUTE
        return None

    def advised_start(self, start: datetime, duration: timedelta) -> datetime:
        touched = self.days.find(PAINT, *self.judged(start, duration))
        if touched < 0:
            return start
        over = self.days.find(b"\x00", touched)
        minute = self.origin + (self.length if over < 0 else over) * MINUTE
        home = ZoneInfo(self.policy.home_zone)
        morning = (0, self.policy.monday_hour, 0)
        while True:
            local = minute.astimezone(home)
            if (local.weekday(), local.hour, local.minute) == morning:
                return minute
            minute += MINUTE

    def window(self, start: datetime, duration: timedelta) -> tuple[datetime, datetime] | None:
        limit = start + self.policy.horizon
        begins: datetime | None = start
        if not self.is_free(start, duration):
            begins = self.first_free(self.advised_start(start, duration), duration, limit)
        if begins is None or begins + duration > limit:
            return None
        after = self.any.find(PAINT, self.judged(begins, duration)[1])
        if after < 0:
            return begins, limit
        last = self.origin + after * MINUTE - self.policy.buffer - self.policy.stop_time
        return begins, min(last, limit)

    def longest(self, start: datetime) -> tuple[datetime, datetime] | None:
        """The longest time that a run may take at any minute from `start`, within the horizon."""
        limit = start + self.policy.horizon
        before, after = self.policy.buffer, self.policy.buffer + self.policy.stop_time
        best: tuple[datetime, datetime] | None = None
        cell = 0
        while (opens := self.any.find(b"\x00", cell)) >= 0:
            cell = self.any.find(PAINT, opens)
            cell = self.length if cell < 0 else cell
            begins = max(start, self.origin + self.cell_up(self.at(opens) + before) * MINUTE)
            ends = min(limit, self.at(cell) - after)
            if begins < ends and (best is None or ends - begins > best[1] - best[0]):
                best = begins, ends
        return best

    def at(self, cell: int) -> datetime:
        return self.origin + cell * MINUTE


def answer(calendar: Calendar, start: datetime, duration: timedelta, now: datetime) -> Answer:
    policy = calendar.policy
    last = start + max(duration, policy.horizon) + policy.stop_time + policy.buffer
    strip = Strip(calendar, start - policy.buffer, last, now)
    opens, closes = start - policy.buffer, start + duration + policy.stop_time + policy.buffer
    blockers = sorted(span for span in strip.spans if span[0] < closes and opens < span[1])
    window = strip.window(start, duration)
    return Answer(
        safe=strip.is_free(start, duration),
        reason=sentence(blockers, start, policy),
        blockers=blockers,
        window=window,
        longest=None if window else strip.longest(start),
    )


def sentence(blockers: list[Span], start: datetime, policy: Policy) -> str:
    if not blockers:
        return "No active weddings detected"
    said = [f"{day} wedding day protection" for _, _, _, day in blockers if day]
    for rule, one, under_way in (
        ("wedding", "wedding", "active wedding{} in progress"),
        ("hold", "hold", "hold{} in force"),
    ):
        spans = [begins for begins, _, which, _ in blockers if which == rule]
        active = [begins for begins in spans if begins <= start or begins < start + policy.buffer]
        if active:
            said.append(f"{len(active)} " + under_way.format("s" * (len(active) > 1)))
        if rest := len(spans) - len(active):
            who = f"a {one}" if rest == 1 else f"{rest} {one}s"
            said.append(f"{who} would begin before the run ends")
    if any(rule == "stale_calendar" for _, _, rule, _ in blockers):
        said.append("the wedding calendar is not known to be complete")
    return "; ".join(dict.fromkeys(said))
