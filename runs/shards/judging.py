"""The script's own thresholds, which no shard can judge: the merged seconds are asked instead."""

from collections.abc import Iterable, Mapping

from runs.models import Run, Shard
from runs.samples import Kind, Second
from runs.tools import OwnVerdict, get_tool


class Whole:
    """Of a run whose tool has no judge, what the shards said is all there is."""

    def __init__(self, run: Run) -> None:
        self._texts = tuple(dict.fromkeys((run.tool_plan or {}).get("thresholds", ())))
        self._judge = get_tool(run.tool).judge(self._texts)

    def see(self, seconds: Iterable[Second]) -> None:
        if self._judge:
            for second in seconds:
                self._judge.see(second)

    def verdicts(
        self, parts: Iterable[Shard], kinds: Mapping[str, Kind], lasted_s: float
    ) -> list[OwnVerdict]:
        if self._judge is None:
            return merge_own(parts)
        return [self._judge.judge(text, kinds, lasted_s) for text in self._texts]


def merge_own(parts: Iterable[Shard]) -> list[OwnVerdict]:
    """A script's threshold that one shard crossed is crossed; that all held it proves nothing."""
    found: dict[str, bool | None] = {}
    for part in parts:
        for text, held in part.own:
            found[text] = False if held is False else found.get(text)
    return [OwnVerdict(text, held) for text, held in found.items()]
