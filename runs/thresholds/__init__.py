"""The pass and fail language and its judge: `p95 of checkout > 800ms for 10s, stop as failed`.

A threshold says what a failure is (as Taurus does): the run fails when it is true. No data never
passes.
"""

from runs.thresholds.cursor import ThresholdError
from runs.thresholds.judging import Check, Judge
from runs.thresholds.language import FEATURES, Threshold, parse
from runs.thresholds.trial import Breach, Heat

__all__ = [
    "FEATURES",
    "MOST",
    "Breach",
    "Check",
    "Heat",
    "Judge",
    "Threshold",
    "ThresholdError",
    "parse",
]

MOST = 50
"""Of one run: every one of them is judged every second."""
