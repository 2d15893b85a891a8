"""What was measured of a run, as the figures of its report."""

from typing import Any

from runs.samples import Endpoint, Metric, Totals
from runs.samples.percentiles import percentiles, rounded
from runs.words import figure
from streaming.wire import Update


def totals(words: Totals) -> dict[str, Any] | None:
    """Requests a second are over `seconds`, from the first to the last request."""
    if not words.requests:
        return None
    return {
        "requests": words.requests,
        "errors": words.errors,
        "error_rate": round(words.error_rate, 6),
        "rps": round(words.rps, 3),
        "seconds": words.seconds,
        "users": words.users,
        **percentiles(words.sketch),
    }


def endpoints(words: list[Endpoint]) -> list[dict[str, Any]]:
    return [
        {"name": e.name, "requests": e.requests, "errors": e.errors, **percentiles(e.sketch)}
        for e in words
    ]


def metrics(words: list[Metric]) -> list[dict[str, Any]]:
    """What the tool measured beside the requests, each with the figures that suit its kind."""
    return [{"name": m.name, "kind": m.kind, "count": m.count, **_figures(m)} for m in words]


def _figures(metric: Metric) -> dict[str, float | None]:
    """In the metric's own unit, which only the script knows: a percentile's `_ms` is left out."""
    match metric.kind:
        case "rate":
            return {"rate": rounded(metric.rate)}
        case "counter":
            return {"total": rounded(metric.total)}
        case "gauge":
            ends = {"min": metric.sketch.quantile(0), "max": metric.sketch.quantile(1)}
            return {"last": metric.last} | ends
    found = percentiles(metric.sketch)
    return {name.removesuffix("_ms"): value for name, value in found.items()} | {
        "max": rounded(metric.sketch.quantile(1))
    }


def doing(update: Update) -> str:
    """What a coordinator reads beside a permit: `412/s, 0.3 % errors, p95 812 ms`."""
    parts = [f"{figure(update.rps)}/s", f"{figure(update.error_rate * 100)} % errors"]
    if update.p95_ms is not None:
        parts.append(f"p95 {figure(update.p95_ms)} ms")
    return ", ".join(parts)
