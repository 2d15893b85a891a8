"""The percentiles that a run tells everywhere: live, in its report, rolled up and compared."""

from runs.samples.sketch import Sketch

QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def percentiles(sketch: Sketch) -> dict[str, float | None]:
    """In milliseconds; None where nothing was answered."""
    return {name: rounded(sketch.quantile(q)) for name, q in QUANTILES.items()}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
