"""What a run looks like in a terminal: a live line, the verdict, the report. Text only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context
from typing import Any
from zoneinfo import ZoneInfo

from wedsync_cli.words import ABORTED, BROKEN, FAILED, PASSED, REFUSED

_CODES = {"passed": PASSED, "failed": FAILED, "refused": REFUSED, "aborted": ABORTED}
_HOME_ZONE = "Europe/London"
_THREE_DIGITS = Context(prec=3)


def exit_code(verdict: Mapping[str, Any] | None) -> int:
    """0 passed, 1 failed, 2 refused, 3 aborted; errored, lost and anything unknown are 4."""
    return _CODES.get(str((verdict or {}).get("outcome")), BROKEN)


def live_line(data: Mapping[str, Any], *, elapsed_s: float) -> str:
    """Users stand last, so that nothing moves when a tool tells of them after its first second."""
    minutes, seconds = divmod(int(elapsed_s), 60)
    parts = [
        f"{minutes:02}:{seconds:02}",
        f"{number(data.get('rps')):>6}/s",
        f"{number(100 * (data.get('error_rate') or 0)):>6} % errors",
        f"p95 {number(data.get('p95_ms')):>6} ms",
    ]
    if (users := data.get("users")) is not None:
        parts.append(f"{count(users):>5} user{' ' if users == 1 else 's'}")
    return "   ".join(parts)


def number(value: float | None) -> str:
    """As runs.words.figure has it: whole from 100 on, else three significant digits."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return count(round(value))
    return f"{_THREE_DIGITS.create_decimal(repr(float(value))).normalize():f}"


def count(value: int | None) -> str:
    """Exact, thousands set apart."""
    return "-" if value is None else f"{value:,}".replace(",", " ")


def calendar_lines(verdict: Mapping[str, Any]) -> list[str]:
    """Of a guard's verdict or of the problem document that refused a run."""
    window = verdict.get("next_safe_window")
    lines = [f"  {blocker['what']}" for blocker in verdict.get("blockers", [])]
    if window:
        start, end = (_spoken(window[name]) for name in ("start", "end"))
        lines.append(f"  Next safe window: from {start} until {end}")
    return lines


def by_hand_line(
    blockers: Sequence[Mapping[str, Any]], by_hand: Sequence[int], *, afresh: str
) -> str:
    """Which weddings block that somebody added to the demo's own; empty where none does."""
    names = [
        f"wedding {pk}"
        for pk in by_hand
        if any(f"for wedding {pk} " in blocker["what"] for blocker in blockers)
    ]
    if not names:
        return ""
    verb = "was" if len(names) == 1 else "were"
    who = " and ".join((", ".join(names[:-1]), names[-1]) if names[1:] else names)
    return f"{who.capitalize()} {verb} added by hand. To start afresh, stop and run: {afresh}"


def _spoken(instant: str) -> str:
    """As the blockers speak, in the home zone; in UTC alone where Python knows no zones."""
    moment = datetime.fromisoformat(instant).astimezone(UTC)
    try:
        local = moment.astimezone(ZoneInfo(_HOME_ZONE))
    except (OSError, LookupError):
        return f"{moment:%a} {moment.day} {moment:%b %Y, %H:%M} UTC"
    day = "" if local.date() == moment.date() else f"{moment:%a} {moment.day} {moment:%b}, "
    city = _HOME_ZONE.rpartition("/")[2]
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {city} ({day}{moment:%H:%M} UTC)"


def run_lines(run: Mapping[str, Any]) -> list[str]:
    verdict, totals = run.get("verdict") or {}, run.get("totals") or {}
    outcome = str(verdict.get("outcome", run.get("state", "unknown")))
    lines = [f"{outcome.capitalize()}: {verdict.get('reason', 'no verdict was given.')}"]
    lines += [_check_line(check) for check in verdict.get("checks", [])]
    if totals:
        lines += ["", _totals_line(totals)]
    rows = [_endpoint_row(endpoint) for endpoint in run.get("endpoints") or []]
    return lines + (
        table(("endpoint", "requests", "errors", "p50 ms", "p95 ms"), rows) if rows else []
    )


def dry_lines(run: Mapping[str, Any]) -> list[str]:
    """What a dry run was warned of, and what the calendar would say to a start now."""
    if not run.get("is_dry"):
        return []
    warnings = (run.get("tool_plan") or {}).get("warnings", [])
    calendar = run.get("calendar") or {}
    said = f"  The calendar, now: {calendar.get('reason', 'it was not asked')}"
    return [*(f"  warning  {text}" for text in warnings), said, *calendar_lines(calendar)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """First column to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  "
        + row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in (head, *rows)
    ]


def _check_line(check: Mapping[str, Any]) -> str:
    mark = {True: "held", False: "broken"}.get(check["held"], "no data")
    return f"  {mark:<8} {check['text']}: {check['measured']}"


def _totals_line(totals: Mapping[str, Any]) -> str:
    return (
        f"  {count(totals.get('requests'))} requests, {number(totals.get('rps'))}/s, "
        f"{number(100 * (totals.get('error_rate') or 0))} % errors, "
        f"p50 {number(totals.get('p50_ms'))} ms, p95 {number(totals.get('p95_ms'))} ms, "
        f"p99 {number(totals.get('p99_ms'))} ms"
    )


def _endpoint_row(endpoint: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (count(endpoint.get(name)) for name in ("requests", "errors"))
    return (
        str(endpoint["name"]),
        *counts,
        *(number(endpoint.get(n)) for n in ("p50_ms", "p95_ms")),
    )
