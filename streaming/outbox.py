"""What one client is to be sent, in order: our words, the updates it follows, then the farewell.

Only the client's own writer takes from it, so a stalled client holds nobody up: its readers stand
still in their topics, and what was superseded meanwhile is never sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from streaming.hub import Hub
from streaming.readers import Reader
from streaming.wire import Frame

REFUSED = 4409
Word = TypeVar("Word", str, bytes)


class Outbox(Generic[Word]):
    """`wake` is set whenever `take` may have something; `closing` is the code to close with."""

    def __init__(
        self,
        hub: Hub,
        *,
        render: Callable[[Frame], Word],
        farewell: Callable[[dict[str, Any]], Word],
        grace: float,
    ) -> None:
        self._hub, self._grace = hub, grace
        self._render: Callable[[Frame], Word] = render
        self._farewell: Callable[[dict[str, Any]], Word] = farewell
        self.wake = asyncio.Event()
        self.closing: int | None = None
        self._words: deque[Word] = deque()
        self._readers: dict[str, Reader] = {}
        self._refusal: dict[str, Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many of our own words the client has not taken."""
        return len(self._words)

    @property
    def following(self) -> tuple[str, ...]:
        return tuple(self._readers)

    async def follow(self, topic: str, *, since: int) -> Reader:
        """Follow a topic, or follow it again from elsewhere. Raises what `Hub.join` raises."""
        reader = await self._hub.join(topic, since=since, wake=self.wake)
        self.unfollow(topic)
        self._readers[topic] = reader
        return reader

    def unfollow(self, topic: str) -> bool:
        reader = self._readers.pop(topic, None)
        if reader:
            self._hub.leave(reader)
        return reader is not None

    def say(self, word: Word) -> None:
        self._words.append(word)
        self.wake.set()

    def close(self, code: int) -> None:
        """Say what waits, then close; updates are no longer sent."""
        self.closing = code
        self.dispose()
        self.wake.set()

    def shut(self, verdict: dict[str, Any]) -> None:
        """Close with a farewell once the followed runs have ended, or the grace is over."""
        if self._refusal is None:
            self._refusal = verdict
            if self._readers:
                self._timer = asyncio.get_running_loop().call_later(self._grace, self._give_up)
        self.wake.set()

    def take(self) -> Word | None:
        if self._words:
            return self._words.popleft()
        if self.closing is not None:
            return None
        if self._refusal and not self._readers:
            self.close(REFUSED)
            return self._farewell(self._refusal)
        for topic, reader in self._readers.items():
            if frame := reader.take():
                # To the back of the row, so that a busy topic does not hide the others.
                self._readers[topic] = self._readers.pop(topic)
                if frame.kind == "end":
                    self.unfollow(topic)
                return self._render(frame)
        return None

    def dispose(self) -> None:
        for topic in self.following:
            self.unfollow(topic)
        if self._timer:
            self._timer.cancel()

    def _give_up(self) -> None:
        self.dispose()
        self.wake.set()
