"""The names of a topic in Valkey, for those who write (services) and who read (hub)."""

from dataclasses import dataclass

RUNNING = "wedsync:streams-running"
# Nobody publishes there: it keeps a hub that follows nothing connected, as a subscriber.
HUB_CHANNEL = "wedsync:stream-hub"
OPENED_GROUP = "streaming.opened"
FIELD = b"m"
_PREFIX = "wedsync:stream:"


def topic_of(channel: str) -> str:
    return channel.removeprefix(_PREFIX)


@dataclass(frozen=True, slots=True)
class Keys:
    """`log`: final updates and the end; `newest`: the open second; `state`: "open" or "ended"."""

    topic: str

    @property
    def channel(self) -> str:
        return f"{_PREFIX}{self.topic}"

    @property
    def log(self) -> str:
        return f"{self.channel}:log"

    @property
    def newest(self) -> str:
        return f"{self.channel}:newest"

    @property
    def state(self) -> str:
        return f"{self.channel}:state"
