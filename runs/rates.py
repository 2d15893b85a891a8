"""Holds a running test to its target's cap: a burst may pass, a rate that stays above may not."""

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
        self._above: deque[Second] = deque(maxlen=SECONDS)

    def see(self, second: Second) -> Stop | None:
        """The reason to end the run once it stayed above the cap; a gap begins afresh."""
        if self._above and second.at != self._above[-1].at + 1:
            self._above.clear()
        if second.requests <= self._most * (1 + MARGIN):
            self._above.clear()
            return None
        self._above.append(second)
        return self._stop() if len(self._above) == SECONDS else None

    def _stop(self) -> Stop:
        rate = sum(second.requests for second in self._above) / SECONDS
        return Stop(
            f"The target “{self._target}” allows at most {count(self._most)} requests a second, "
            f"and the test made {figure(rate)} a second for {SECONDS} s, so it was stopped. "
            "Ask for less, or ask ops to raise the cap."
        )
