"""Holds a running test to its target's cap: a short burst may pass, a mean above it may not."""

from collections import deque

from runs.outcome import Stop
from runs.samples import Second
from runs.words import count, figure

MARGIN = 0.10
SECONDS = 5


class RateCap:
    """At most so many requests a second at a target. Sees a run's closed seconds, in order.

    Requests are counted, not arrivals: what the script's plan said was judged before it began.
    """

    def __init__(self, target: str, most: int) -> None:
        self._target, self._most = target, most
        self._began: int | None = None
        self._last: deque[Second] = deque()

    def see(self, second: Second) -> Stop | None:
        """The reason to end the run where the mean of its last seconds is above the cap."""
        self._began = second.at if self._began is None else self._began
        self._last.append(second)
        while self._last[0].at <= second.at - SECONDS:
            self._last.popleft()
        made = sum(second.requests for second in self._last)
        is_long = second.at - self._began + 1 >= SECONDS
        above = made > self._most * SECONDS * (1 + MARGIN)
        return self._stop(made / SECONDS) if is_long and above else None

    def _stop(self, rate: float) -> Stop:
        return Stop(
            f"The target “{self._target}” allows at most {count(self._most)} requests a second, "
            f"and the test made {figure(rate)} a second for {SECONDS} s, so it was stopped. "
            "Ask for less, or ask ops to raise the cap."
        )
