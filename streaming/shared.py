"""What all streams of one process share: its hub, its gate, and how patient it is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.conf import settings

from streaming.gate import Gate
from streaming.hub import Hub
from streaming.openings import Openings


@dataclass(frozen=True)
class Streams:
    """`follow_after`: seconds of silence after which a socket follows whatever runs, or never."""

    hub: Hub
    gate: Gate
    openings: Openings
    follow_after: float | None = None
    grace: float = 10.0
    heartbeat: float = 15.0


FindStreams = Callable[[], Streams]
_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Streams]" = WeakKeyDictionary()


def streams_here() -> Streams:
    """The shared ones of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        follow_after = 2.0 if settings.WEDSYNC_EMBEDDED else None
        _by_loop[loop] = Streams(Hub(settings.WEDSYNC_VALKEY_URL), Gate(), Openings(), follow_after)
    return _by_loop[loop]
