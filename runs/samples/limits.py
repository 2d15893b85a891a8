"""How many keys a run keeps apart: what a tool invents beyond that is collected as “(other)”."""

from runs.samples import REQUESTS, Key

MOST_METRICS = 100
MOST_NAMES = 50  # of a metric
MOST_STATUSES = 12  # of a name
MOST_KEYS = 2000  # beside those of the requests
OTHER = "(other)"


class Limits:
    """First come, first kept. Those of the requests are kept whatever else a tool measures."""

    def __init__(self) -> None:
        self.metrics: set[str] = set()
        self._names: dict[str, set[str]] = {}
        self._statuses: dict[tuple[str, str], set[str]] = {}
        self._kept: set[Key] = set()

    def fit(self, key: Key) -> Key:
        """The key itself or, over a limit, the one that collects it."""
        if key in self._kept:
            return key
        metric, name, status = key
        if metric != REQUESTS:
            metric = _fit(metric, self.metrics, MOST_METRICS)
            if len(self._kept) >= MOST_KEYS:
                return Key(metric, OTHER, OTHER)
        name = _fit(name, self._names.setdefault(metric, set()), MOST_NAMES)
        status = _fit(status, self._statuses.setdefault((metric, name), set()), MOST_STATUSES)
        kept = Key(metric, name, status)
        self._kept.add(kept)
        return kept


def _fit(word: str, known: set[str], most: int) -> str:
    if word in known:
        return word
    if len(known) >= most:
        return OTHER
    known.add(word)
    return word
