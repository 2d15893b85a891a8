"""Cuts an iCalendar text into its events, one line at a time, keeping what a wedding needs.

Lines are unfolded as bytes, since a fold may cut a letter in two. Everything else in the file
(alarms, descriptions, attachments) is dropped here, so that a large feed stays small in memory.
https://www.rfc-editor.org/rfc/rfc5545#section-3.1
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

_KEPT = re.compile(
    r"(UID|DTSTART|DTEND|DURATION|RRULE|RDATE|EXDATE|RECURRENCE-ID|SEQUENCE|STATUS|SUMMARY"
    r"|LOCATION)[;:]",
    re.IGNORECASE,
)
_EDGE = re.compile(r"(BEGIN|END):([A-Z0-9-]+)\s*", re.IGNORECASE)
# The library would look a TZID up, and remember unknown ones from one feed to the next.
_TZID = re.compile(r"^((?:DTSTART|DTEND|RDATE|EXDATE|RECURRENCE-ID)[^:]*?);TZID=", re.IGNORECASE)
_CUT = (["VCALENDAR", "VEVENT"], ["VCALENDAR", "VTIMEZONE"])
_CONTROL = dict.fromkeys([*range(9), *range(10, 32), 127])


class Unreadable(ValueError):
    """The content is no calendar that can be trusted; the text is a sentence for a person."""


@dataclass(slots=True)
class Component:
    """One VEVENT, or one VTIMEZONE, as unfolded lines; `line` is where it began in the file."""

    name: str
    line: int
    lines: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "\r\n".join([f"BEGIN:{self.name}", *self.lines, f"END:{self.name}", ""])

    def value(self, name: str) -> str:
        """The first value of a property, empty where there is none."""
        for line in self.lines:
            if line[: len(name) + 1].upper() in {f"{name}:", f"{name};"}:
                return line.partition(":")[2].strip()
        return ""


def cut(content: bytes) -> Iterator[Component]:
    """Every VEVENT and VTIMEZONE of the calendars in `content`; raises Unreadable."""
    nesting, current = list[str](), None
    number = 0
    for number, line in _logical_lines(content):
        edge = _EDGE.fullmatch(line)
        begins = edge is not None and edge[1].upper() == "BEGIN"
        if edge is not None:
            _enter_or_leave(nesting, begins, edge[2].upper(), number)
        elif not nesting:
            raise Unreadable(_not_a_calendar(line, number))
        if current is None:
            if begins and nesting in _CUT:
                current = Component(nesting[-1], number)
        elif len(nesting) == 1:
            yield current
            current = None
        elif current.name == "VTIMEZONE" or (len(nesting) == 2 and _KEPT.match(line)):
            current.lines.append(_TZID.sub(r"\1;X-TZID=", line))
    _check_end(nesting, number)


def _enter_or_leave(nesting: list[str], begins: bool, name: str, number: int) -> None:
    if begins:
        if not nesting and name != "VCALENDAR":
            raise Unreadable(_not_a_calendar("", number))
        nesting.append(name)
    elif not nesting or nesting[-1] != name:
        raise Unreadable(f"Line {number} ends a part that is not the one open there.")
    else:
        nesting.pop()


def _check_end(nesting: list[str], number: int) -> None:
    if not number:
        raise Unreadable("The file is empty; even a calendar without events has its frame.")
    if nesting:
        raise Unreadable(
            f"The file ends at line {number} with a part still open: it was cut short."
        )


def _logical_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """(number of the line where it began, unfolded text), blank ones left out."""
    begun, joined = 0, bytearray()
    for number, raw in enumerate(BytesIO(content.removeprefix(b"\xef\xbb\xbf")), start=1):
        line = raw.rstrip(b"\r\n")
        if line[:1] in (b" ", b"\t") and joined:
            joined += line[1:]
            continue
        if joined.strip():
            yield begun, _decode(joined)
        begun, joined = number, bytearray(line)
    if joined.strip():
        yield begun, _decode(joined)


def _decode(line: bytearray) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("latin-1")  # what old exporters send
    return text.translate(_CONTROL)


def _not_a_calendar(line: str, number: int) -> str:
    if line.lstrip().startswith("<"):
        return (
            "What came is a web page, no calendar; perhaps the address needs a sign-in, "
            "or is not that of the .ics file."
        )
    return f"Line {number} lies outside of BEGIN:VCALENDAR and END:VCALENDAR: this is no calendar."
