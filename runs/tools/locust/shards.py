"""Loaded by Locust beside the user's script, in a shard: of all users it runs this shard's own.

Locust's dispatcher hands users out to the workers of a master. Each shard asks it to hand them out
to as many workers as there are shards, and runs what one of those gets: whatever the script decides
on, the shards' users, classes, fixed counts and spawning add up to it. Needs nothing but Locust.
"""

import inspect
import os

from locust import events
from locust.env import Environment
from locust.runners import WorkerNode

NUMBER, OF = (int(word) for word in os.environ["WEDSYNC_SHARD"].split("/"))

if "dispatcher_class" not in inspect.signature(Environment).parameters:
    raise ImportError("this Locust is too old to run a part of a test; ./wedsync tools has a newer")


def name(number: int) -> str:
    return f"shard{number:06}"  # Locust sorts its workers by name


def part_of(dispatcher: type, number: int, of: int) -> type:
    """A dispatcher that tells the only worker of this process what worker `number` would do."""

    class OwnPart(dispatcher):
        latest = None

        def __init__(self, worker_nodes, user_classes):
            (self.here,) = worker_nodes
            self.parts = [WorkerNode(name(each)) for each in range(of)]
            super().__init__(list(self.parts), user_classes)
            self._worker_node_generator = self.whose_turn()
            OwnPart.latest = self

        def whose_turn(self):
            """By how many there are, not by who came and went: shards see a shape's waves apart."""
            while True:
                yield self.parts[len(self._active_users) % of]

        def __next__(self):
            return {self.here.id: super().__next__()[name(number)]}

    return OwnPart


@events.init.add_listener
def divide(environment, **_) -> None:
    """A shape that asks how many users there are means those of all shards."""
    part = environment.dispatcher_class = part_of(environment.dispatcher_class, NUMBER, OF)
    if shape := environment.shape_class:
        shape.get_current_user_count = lambda: (
            part.latest.get_current_user_count() if part.latest else 0
        )
