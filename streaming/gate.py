"""Whether streams may be open now: one verdict of the wedding calendar per process and second.

During a protected weekday nobody watches a load test. No answer for three seconds is a no.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections

import clock
from calendar_guard import services as calendar_guard
from calendar_guard.rules import Verdict, in_force

log = logging.getLogger(__name__)

NO_ANSWER = "The wedding calendar does not answer; streams stay closed until it does."


@dataclass(frozen=True)
class View:
    """The guard's verdict on a test that would start now, and whether it shuts the streams."""

    verdict: dict[str, Any]
    is_shut: bool


OnShut = Callable[[dict[str, Any]], None]
SILENCE = View(
    {"safe": False, "reason": NO_ANSWER, "blockers": [], "next_safe_window": None}, is_shut=True
)


def ask_calendar(now: datetime) -> Verdict:
    """Runs in a thread, which must not keep its database connection."""
    try:
        return calendar_guard.check(start=now, duration=timedelta(0), now=now)
    finally:
        connections.close_all()


class Gate:
    """Lives on one event loop."""

    def __init__(
        self,
        check: Callable[[datetime], Verdict] = ask_calendar,
        *,
        now: Callable[[], datetime] = clock.now,
        every: float = 1.0,
        patience: float = 3.0,
    ) -> None:
        self._check, self._now, self._every, self._patience = check, now, every, patience
        self._view = SILENCE
        self._good_as_of = self._asked_at = float("-inf")
        self._is_failing = False
        self._question: asyncio.Task[None] | None = None
        self._watchers: set[OnShut] = set()
        self._watch: asyncio.Task[None] | None = None

    async def look(self) -> View:
        if self._question is None and monotonic() - self._asked_at >= self._every:
            self._asked_at = monotonic()
            self._question = asyncio.ensure_future(self._ask())
        if self._question is not None:
            since = self._good_as_of if self._is_trusted() else self._asked_at
            patience = max(0, since + self._patience - monotonic())
            await asyncio.wait({self._question}, timeout=patience)
        return self._view if self._is_trusted() else SILENCE

    def _is_trusted(self) -> bool:
        return monotonic() - self._good_as_of < self._patience

    def watch(self, on_shut: OnShut) -> None:
        """Call back once with the verdict, when the gate is (or becomes) shut."""
        self._watchers.add(on_shut)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._keep_looking())

    def unwatch(self, on_shut: OnShut) -> None:
        self._watchers.discard(on_shut)

    async def aclose(self) -> None:
        for task in (self._watch, self._question):
            if task:
                task.cancel()
                await asyncio.wait({task})

    async def _keep_looking(self) -> None:
        while self._watchers:
            if (view := await self.look()).is_shut:
                for on_shut in list(self._watchers):
                    self._watchers.discard(on_shut)
                    on_shut(view.verdict)
            await asyncio.sleep(self._every)

    async def _ask(self) -> None:
        try:
            self._view = await sync_to_async(self._judge, thread_sensitive=False)()
            self._good_as_of = self._asked_at
            self._is_failing = False
        except Exception:  # whatever went wrong: no answer is a no, and the next second asks again
            if not self._is_failing:
                log.exception("the wedding calendar does not answer the streams' gate")
            self._is_failing = True
        finally:
            self._question = None

    def _judge(self) -> View:
        now = self._now()
        verdict = self._check(now)
        return View(verdict.as_json(), is_shut=in_force(verdict, now) is not None)
