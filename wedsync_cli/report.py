"""What a run looks like in a terminal: a live line, the verdict, the report. Text only."""

from collections.abc import Mapping, Sequence
from typing import Any

from wedsync_cli.words import ABORTED, BROKEN, FAILED, PASSED, REFUSED

_CODES = {"passed": PASSED, "failed": FAILED, "refused": REFUSED, "aborted": ABORTED}


def exit_code(verdict: Mapping[str, Any] | None) -> int:
    """0 passed, 1 failed, 2 refused, 3 aborted; errored, lost and anything unknown are 4."""
    return _CODES.get(str((verdict or {}).get("outcome")), BROKEN)


def live_line(data: Mapping[str, Any], *, elapsed_s: float) -> str:
    minutes, seconds = divmod(int(elapsed_s), 60)
    users = data.get("users")
    return "   ".join(
        (
            f"{minutes:02}:{seconds:02}",
            f"{number(data.get('rps')):>6}/s",
            f"{number(100 * (data.get('error_rate') or 0)):>4} % errors",
            f"p95 {number(data.get('p95_ms')):>6} ms",
            f"{'-' if users is None else users:>4} users",
        )
    )


def number(value: float | None) -> str:
    """At most three significant digits, thousands set apart: `1 240`, `38.2`, `0.4`."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value, -digits):,.0f}".replace(",", " ")
    return f"{value:.3g}" if abs(value) >= 0.001 else "0"


def count(value: int | None) -> str:
    """Exact, thousands set apart."""
    return "-" if value is None else f"{value:,}".replace(",", " ")


def calendar_lines(verdict: Mapping[str, Any]) -> list[str]:
    """Of a guard's verdict or of the problem document that refused a run."""
    window = verdict.get("next_safe_window")
    lines = [f"  {blocker['what']}" for blocker in verdict.get("blockers", [])]
    if window:
        lines.append(f"  Next safe window: {window['start']} to {window['end']}")
    return lines


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
