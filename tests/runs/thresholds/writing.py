"""Thresholds written out again, to see that what was read is what was said."""

import re

from runs.thresholds import Threshold

_BARE = re.compile(r'[^\s"<>=,]+')


def write(threshold: Threshold) -> str:
    """The canonical text: one blank between words, a label in quotes only where it needs them."""
    words = ["wedding-critical"] if threshold.is_critical else []
    if threshold.feature:
        words.append(f"feature {threshold.feature}:")
    words.append(threshold.subject)
    if threshold.label:
        says_metric = threshold.is_metric and threshold.subject not in ("rate", "sum")
        words.append("of metric" if says_metric else "of")
        words.append(_label(threshold.label))
    words += [threshold.operator, threshold.number + threshold.unit]
    if threshold.when:
        words.append(f"{threshold.when} {_span(threshold.seconds)}")
    return " ".join(words) + (", stop as failed" if threshold.stops else "")


def _label(label: str) -> str:
    if _BARE.fullmatch(label) and label != "metric":
        return label
    escaped = label.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    parts = ((hours, "h"), (rest // 60, "m"), (rest % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
