"""The frames of a run in this process, and the place of each of its readers among them.

A topic keeps its lasting frames in a bounded log and the open second in a slot; a reader is only a
place in that log. So late, slow and returning readers are one case, and a slow one costs nothing:
it skips open seconds, and finals only when the log has moved past it, which their `seq` shows.
"""

import asyncio
from bisect import bisect_right
from dataclasses import dataclass, field

from streaming.wire import Frame


@dataclass(eq=False)
class Topic:
    """The frames of one run, for all its readers in this process."""

    id: str
    limit: int
    log: list[Frame] = field(default_factory=list)
    newest: Frame | None = None
    readers: "set[Reader]" = field(default_factory=set)
    loading: "asyncio.Task[None] | None" = None
    known: bool = False
    arriving: list[Frame] = field(default_factory=list)

    @property
    def end(self) -> Frame | None:
        return self.log[-1] if self.log and self.log[-1].kind == "end" else None

    def hear(self, frame: Frame) -> None:
        """A live frame; while older ones are being loaded it waits its turn."""
        if self.loading:
            self.arriving.append(frame)
        else:
            self.add(frame)

    def add(self, frame: Frame) -> None:
        """Take a frame in; what is not newer than what is here was replayed, and is dropped."""
        if self.log and frame.seq <= self.log[-1].seq:
            return
        if frame.lasting:
            self.log.append(frame)
            del self.log[: -self.limit]
            if self.newest and self.newest.seq <= frame.seq:
                self.newest = None
        elif self.newest is None or frame.seq > self.newest.seq:
            self.newest = frame
        for reader in self.readers:
            reader.wake.set()

    def after(self, seq: int) -> Frame | None:
        """The frame to send to whoever has seen everything up to `seq`."""
        place = bisect_right(self.log, seq, key=lambda frame: frame.seq)
        if place < len(self.log):
            return self.log[place]
        return self.newest if self.newest and self.newest.seq > seq else None


class Reader:
    """One client's place in a topic. `wake` is set whenever `take` may have something."""

    def __init__(self, topic: Topic, wake: asyncio.Event) -> None:
        self.topic, self.wake = topic, wake
        self._seen: int | None = None

    def stand_after(self, seq: int) -> None:
        """Begin after `seq`; the end is told again to whoever comes back after it."""
        end = self.topic.end
        self._seen = min(seq, end.seq - 1) if end else seq
        self.wake.set()

    def take(self) -> Frame | None:
        frame = None if self._seen is None else self.topic.after(self._seen)
        if frame:
            self._seen = frame.seq
        return frame
