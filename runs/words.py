"""Numbers and spans for people, written in one way wherever a run is spoken of."""

from datetime import timedelta
from decimal import Context

_THREE_DIGITS = Context(prec=3)


def count(number: int) -> str:
    """A whole number, exact, with a space between its thousands."""
    return f"{number:,}".replace(",", " ")


def figure(number: float) -> str:
    """A measured number: whole from 100 on, else three significant digits, never an exponent."""
    if abs(number) >= 100:
        return count(round(number))
    # By its decimal digits, ties to the even one: as a browser rounds what it was sent.
    return f"{_THREE_DIGITS.create_decimal(repr(float(number))).normalize():f}"


def span(duration: timedelta) -> str:
    """A duration in whole seconds: `1 min 30 s`."""
    minutes, seconds = divmod(round(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"
