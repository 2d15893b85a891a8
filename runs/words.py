"""Numbers and spans for people, written in one way wherever a run is spoken of."""

from datetime import timedelta


def count(number: int) -> str:
    """A whole number, exact, with a space between its thousands."""
    return f"{number:,}".replace(",", " ")


def figure(number: float) -> str:
    """A measured number: whole from 100 on, else three significant digits, never an exponent."""
    if abs(number) >= 100:
        return count(round(number))
    text = f"{float(f'{number:.3g}'):.10f}"
    return text.rstrip("0").rstrip(".")


def span(duration: timedelta) -> str:
    """A duration in whole seconds: `1 min 30 s`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"
