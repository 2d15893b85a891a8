"""Puts every time of an event on one clock, naive, so that repeating follows the wall."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import icalendar

from calendar_guard.ical import recurrence
from calendar_guard.ical.components import Unreadable
from calendar_guard.ical.places import Place, Places, between_clocks, lasting
from calendar_guard.ical.recurrence import Event

WITHOUT_END = timedelta(hours=12)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """That of `place`; `name` is the event's in a refusal."""

    places: Places
    place: Place
    name: str

    def settle(self, event: Event) -> None:
        starts = self.local(event["DTSTART"])
        ends = self.end(event, starts)
        whole_days = not isinstance(event["DTSTART"].dt, datetime)
        for key in ("EXDATE", "RDATE"):
            if key in event:
                lists = event[key] if isinstance(event[key], list) else [event[key]]
                event[key] = [self._settled(one, whole_days) for one in lists]
        if "RECURRENCE-ID" in event:
            old = event["RECURRENCE-ID"]
            event["RECURRENCE-ID"] = _naive(self.local(old), old.params)
        for rule in recurrence.rules_of(event):
            if "UNTIL" in rule:
                rule["UNTIL"] = [_until(until, self.place) for until in rule["UNTIL"]]
        event["DTSTART"], event["DTEND"] = _naive(starts), _naive(ends)

    def _settled(self, prop: Any, whole_days: bool) -> Any:
        """One EXDATE or RDATE; a date that excludes a timed instance stays a date."""
        there = self.places.of(prop, self.name)
        settled = icalendar.prop.vDDDLists([])
        settled.dts = [
            _moved(one, there, self.place)
            if whole_days or isinstance(_first(one.dt), datetime)
            else one
            for one in prop.dts
        ]
        return settled

    def local(self, prop: Any) -> datetime:
        return between_clocks(prop.dt, self.places.of(prop, self.name), self.place)

    def end(self, event: Event, starts: datetime) -> datetime:
        if "DTEND" in event:
            ends = self.local(event["DTEND"])
            if ends < starts:
                raise Unreadable(f"{self.name} ends before it starts.")
            if ends > starts:
                return ends
        elif "DURATION" in event and event["DURATION"].dt != timedelta(0):
            if event["DURATION"].dt < timedelta(0):
                raise Unreadable(f"{self.name} lasts less than no time.")
            return lasting(starts, event["DURATION"].dt, self.place)
        if not isinstance(event["DTSTART"].dt, datetime):
            return starts + _DAY
        return lasting(starts, WITHOUT_END, self.place)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) else value


def _moved(one: Any, there: Place, here: Place) -> Any:
    value = one.dt
    if not isinstance(value, tuple):
        return _naive(between_clocks(value, there, here))
    begins, ends = value
    if not isinstance(ends, timedelta):
        ends = between_clocks(ends, there, here)
    return icalendar.prop.vDDDTypes((between_clocks(begins, there, here), ends))


def _naive(value: datetime, params: Any = None) -> Any:
    settled = icalendar.prop.vDDDTypes(value)
    if params and "RANGE" in params:
        settled.params["RANGE"] = params["RANGE"]
    return settled


def _until(value: date, place: Place) -> datetime:
    """The last moment of a rule; a date means that day with all its hours."""
    if isinstance(value, datetime):
        return place.local(value)
    return datetime.combine(value, time(23, 59, 59))
