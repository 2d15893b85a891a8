"""Numbers and times as a person reads them. The pages' scripts/format.js says the same."""

from datetime import UTC, datetime, timedelta
from decimal import Context
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from calendar_guard.rules import NO_WINDOW, WEEKDAY
from clock.iso import parse_duration
from runs.services import RunWord

register = template.Library()
THIN, NARROW = "\u202f", "\u00a0"  # between thousands; between a number and its unit
MINUS = "\u2212"
NONE = "–"
_THREE_DIGITS = Context(prec=3)
_CUT = {"brief": ";", "short": NO_WINDOW}
FORMS = {
    "clock": "%H:%M:%S",
    "short": "%a %H:%M",
    "day": "%a %d %b, %H:%M",
    "long": "%a %d %b %Y, %H:%M",
}


@register.filter
def figure(value: object) -> str:
    """A measured number: whole from 100 on, else three significant digits: 1 001, 38.2, 0.4."""
    if not isinstance(value, int | float):
        return NONE
    if abs(value) >= 100:
        return count(value)
    return f"{_THREE_DIGITS.create_decimal(repr(float(value))).normalize():f}"


@register.filter
def count(value: object) -> str:
    """A whole number, exact, thousands apart: 1 956."""
    if not isinstance(value, int | float):
        return NONE
    return f"{round(value):,}".replace(",", THIN)


@register.filter
def signed(value: object) -> str:
    """A difference: +38.2, −4, 0."""
    if not isinstance(value, int | float) or not value:
        return figure(value)
    return f"{'+' if value > 0 else MINUS}{figure(abs(value))}"


@register.filter
def percent(share: object) -> str:
    """A share of 1 as `4.2 %`."""
    if not isinstance(share, int | float):
        return NONE
    return f"{figure(100 * share)}{NARROW}%"


@register.filter
def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th; 11th to 13th."""
    tail = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else tail}"


@register.filter
def figure_name(name: str) -> str:
    return {"rps": "Requests", "errors": "Errors"}.get(name, name)


@register.filter
def seconds(number: float) -> str:
    """A number of seconds as `1 min 30 s`."""
    return _span(timedelta(seconds=number))


@register.filter
def lasted(duration: str) -> str:
    """An ISO 8601 duration as `1 min 30 s`."""
    return _span(parse_duration(duration))


@register.filter
def took(run: RunWord) -> str:
    """How long a run that is over has worked."""
    if not run.started_at or not run.ended_at:
        return NONE
    return _span(datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at))


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{n}{NARROW}{unit}" for n, unit in parts if n) or f"0{NARROW}s"


@register.filter
def when(instant: str | datetime | None, form: str = "day") -> SafeString | str:
    """A time in UTC, which page.js turns into the viewer's zone."""
    if not instant:
        return NONE
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" data-form="{}">{} UTC</time>',
        at.isoformat(),
        form,
        at.strftime(FORMS[form]),
    )


@register.filter
def guard_sentence(verdict: dict[str, Any], length: str = "whole") -> SafeString:
    """The guard's verdict in its own words: safe, blocked.

    `brief` keeps one clause of why, `short` leaves out how long a window there would be.
    """
    window, reason = verdict["next_safe_window"], verdict["reason"]
    reason = reason.partition(_CUT.get(length, "\n"))[0]
    if verdict["safe"]:
        until = when(window["end"], "short") if window else ""
        return format_html("Safe until {}", until) if window else format_html("Safe")
    if window:
        until = "Blocked, advised from {}: {}" if _is_advised(verdict) else "Blocked until {}: {}"
        return format_html(until, when(window["start"], "short"), reason)
    return format_html("Blocked: {}", reason)


@register.filter
def window_name(verdict: dict[str, Any], form: str = "") -> str:
    """What the window of a verdict is; `countdown` names the time until it."""
    if verdict["safe"]:
        return "Time left" if form else "This safe window"
    if _is_advised(verdict):
        return "Advised start in" if form else "Advised window"
    return "Next safe window in" if form else "Next safe window"


def _is_advised(verdict: dict[str, Any]) -> bool:
    """After a protected weekday the guard advises Monday morning, though Sunday may be safe."""
    rules = {blocker["rule"] for blocker in verdict.get("blockers", ())}
    return bool(verdict["next_safe_window"]) and WEEKDAY in rules


@register.filter
def verdict_sentence(verdict: dict[str, Any]) -> str:
    return f"{verdict['outcome'].capitalize()}: {verdict['reason']}"
