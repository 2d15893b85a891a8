"""Weddings as rows of a CSV file, and rows as the words that `facts.read_wedding` reads.

Spreadsheets put a mark before UTF-8, write semicolons, and run a cell that begins with = + - or @
as a formula: https://owasp.org/www-community/attacks/CSV_Injection. So such a cell gets an
apostrophe on its way out, and loses it on its way in.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

COLUMNS = (
    *("id", "title", "venue", "zone", "starts_at", "ends_at", "setup", "teardown", "guests"),
    *("status", "coordinators", "notes", "source", "uid"),
)
NEEDED = ("title", "zone", "starts_at", "ends_at")
LARGEST, MOST_ROWS = 1_000_000, 2_000  # bytes; rows

# An empty cell of these says nothing: the default of a new wedding, and what a known one has.
_SILENT = {*NEEDED, "id", "setup", "teardown", "status", "source", "uid"}
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_DELIMITERS = (",", ";", "\t")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_PERSON = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^;<>"]*))\s*(?:<([^;<>]*)>)?\s*(;|$)')
_QUOTED = re.compile(r'[;<>"@]|^\s|\s$')


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, in one sentence; without a column it is the whole line."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where it begins in the file, counted from 1."""

    line: int
    id: int | None
    words: dict[str, Any]


class Unreadable(ValueError):
    """Nothing in the file can be read; `problems` say where and why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].sentence)
        self.problems = problems


def decode(data: bytes) -> str:
    """Raises Unreadable."""
    if len(data) > LARGEST:
        said = f"The file has {len(data):,} bytes, and {LARGEST:,} are the most: cut it into parts."
        raise Unreadable(Problem(1, "", said))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable(Problem(1, "", "The file is UTF-16. " + _SAVE_AS))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        said = f"The byte {data[error.start]:#04x} is no UTF-8; it may be Windows-1252. {_SAVE_AS}"
        raise Unreadable(Problem(line, "", said)) from None


def read_rows(text: str) -> tuple[list[Row], list[Problem]]:
    """What can be read of each line, and what cannot. Raises Unreadable."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header, *lines = _split(text)
    names = _read_header(header)
    if not lines:
        raise Unreadable(Problem(1, "", "There is no wedding under the first line."))
    rows, problems = [], []
    for line, cells in lines:
        if len(cells) > len(names) and any(cells[len(names) :]):
            said = f"There are {len(cells)} cells, and the first line names {len(names)} columns."
            problems.append(Problem(line, "", said))
            continue
        row, wrong = _read_row(line, dict(zip(names, cells, strict=False)))
        rows.append(row)
        problems += wrong
    return rows, problems


def write_rows(weddings: Iterable[Mapping[str, Any]]) -> str:
    """The file, from the words that `facts.write_kept` gives; UTF-8 that spreadsheets know."""
    page = StringIO()
    writer = csv.writer(page)
    writer.writerow(COLUMNS)
    for wedding in weddings:
        cells = {**wedding, "coordinators": _write_people(wedding["coordinators"])}
        writer.writerow([_guard(cells[name]) for name in COLUMNS])
    return "\ufeff" + page.getvalue()


_SAVE_AS = "In Excel choose “Save as”, “CSV UTF-8”."


def _split(text: str) -> list[tuple[int, list[str]]]:
    """Lines with a cell in them, and where each begins."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((line, cells))
            line = reader.line_num + 1
            if len(found) > MOST_ROWS + 1:
                said = f"There are more than {MOST_ROWS:,} weddings: cut the file into parts."
                raise Unreadable(Problem(line, "", said))
    except csv.Error as error:
        said = f"From here on no cells can be told apart ({error}): look at the quotation marks."
        raise Unreadable(Problem(line, "", said)) from None
    if not found:
        raise Unreadable(Problem(1, "", "The file is empty."))
    return found


def _read_header(header: tuple[int, list[str]]) -> list[str]:
    line, cells = header
    names = [re.sub(r"[\s_-]+", "_", cell.strip().lower()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    problems = [
        Problem(line, cell, f"There is no such column; known are {', '.join(COLUMNS)}.")
        for name, cell in zip(names, cells, strict=False)
        if name not in COLUMNS
    ]
    twice = {name for name in names if names.count(name) > 1}
    problems += [Problem(line, name, "There are two columns of this name.") for name in twice]
    missing = [name for name in NEEDED if name not in names]
    problems += [Problem(line, name, "This column is missing.") for name in missing]
    if problems:
        raise Unreadable(*problems)
    return names


def _read_row(line: int, cells: Mapping[str, str]) -> tuple[Row, list[Problem]]:
    words: dict[str, Any] = {}
    problems = []
    for name, cell in cells.items():
        text = _unguard(cell)
        if text.strip() or name not in _SILENT:
            try:
                words[name] = _READERS.get(name, str)(text)
            except ValueError as error:
                problems.append(Problem(line, name, str(error)))
    return Row(line, words.pop("id", None), words), problems


def _guard(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _unguard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _read_id(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise ValueError("This is the number of a wedding, or empty for a new one.")
    return int(text)


def _read_guests(text: str) -> int | None:
    text = text.strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError("Write a whole number in figures only, or nothing.")
    return int(text) if text else None


def _read_span(text: str) -> str:
    """`2:30` and `2:30:00` as `PT2H30M`."""
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        return text.strip()
    hours, minutes, seconds = match.groups(default="0")
    return f"PT{hours}H{minutes}M{seconds}S"


def _read_people(text: str) -> list[dict[str, str]]:
    people, at, text = [], 0, text.strip()
    while at < len(text):
        match = _PERSON.match(text, at)
        if match is None:
            raise ValueError("Write Ada Byron <ada@example.org>; Grace Hopper <grace@example.org>.")
        quoted, plain, email, _ = match.groups()
        name = quoted.replace('""', '"') if quoted is not None else plain.strip()
        if email is None and quoted is None and "@" in name:
            name, email = "", name
        if name or email:
            people.append({"name": name} if name else {})
            people[-1] |= {"email": email.strip()} if email else {}
        at = match.end()
    return people


def _write_people(people: Iterable[Mapping[str, str]]) -> str:
    return "; ".join(_write_person(person["name"], person.get("email", "")) for person in people)


def _write_person(name: str, email: str) -> str:
    if _QUOTED.search(name):
        name = '"' + name.replace('"', '""') + '"'
    return f"{name} <{email}>".strip() if email else name


_READERS = {
    "id": _read_id,
    "guests": _read_guests,
    "setup": _read_span,
    "teardown": _read_span,
    "status": lambda text: text.strip().lower(),
    "coordinators": _read_people,
}
