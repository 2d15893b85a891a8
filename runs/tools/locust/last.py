"""Loaded by Locust beside the user's script: says on stderr what the exit code cannot tell.

How many tasks raised an error and how many came to their end, and that an exit code is the script's
own choice (https://docs.locust.io/en/stable/running-without-web-ui.html). Needs nothing but Locust.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

from locust import TaskSet, events
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust.runners import WorkerRunner
from locust.user.users import DefaultTaskSet

WAYS_ON = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser)


class Last(logging.Handler):
    """Of this process. Listens to the log, too: Locust's tables may push that out of sight."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said = ""
        self.raised = self.ended = 0
        self.at_work: dict[int, object] = {}  # users, by identity; kept, so that it stays theirs
        self.raisers: dict[int, object] = {}
        self.requests = self.failed = 0
        self.error = ""
        self.environment: Any = None

    def begin(self, environment: Any, **_: Any) -> None:
        self.environment = environment
        logging.getLogger().addHandler(self)  # Locust's own logger does not lead there

    def emit(self, record: logging.LogRecord) -> None:
        self.said = in_a_line(record.getMessage())

    def requested(self, exception: object = None, **_: Any) -> None:
        self.requests += 1
        self.failed += bool(exception)

    def saw(self, user_instance: object, exception: object, **_: Any) -> None:
        self.raised += 1
        # A set of tasks fires this with itself as the user.
        user = user_instance.user if isinstance(user_instance, TaskSet) else user_instance
        self.raisers[id(user)] = user
        self.error = in_a_line(f"{type(exception).__name__}: {exception}")

    def counting(self, execute: Callable[..., None]) -> Callable[..., None]:
        """Of a nested set, its own tasks count."""

        def counted(tasks: Any, task: object) -> None:
            self.at_work[id(tasks.user)] = tasks.user
            try:
                execute(tasks, task)
            except WAYS_ON:
                self.ended += 1
                raise
            self.ended += not isinstance(task, type)

        return counted

    def say(self, exit_code: int, **_: Any) -> None:
        is_one_of_several = isinstance(getattr(self.environment, "runner", None), WorkerRunner)
        if self.raised or is_one_of_several:
            users = f"of {len(self.raisers)} of {len(self.raisers | self.at_work)} users"
            tasks = f"{self.raised} tasks {users} raised an error, {self.ended} came to their end"
            error = f": {self.error}" if self.raised else ""
            tell(f"{tasks}, {self.failed} of {self.requests} requests failed{error}")
        if exit_code and self.environment and exit_code == self.environment.process_exit_code:
            tell(f"the exit code is the script's own: {self.said}")


def in_a_line(text: str) -> str:
    return " ".join(text.split())[:200]


def tell(words: str) -> None:
    sys.stderr.write(f"wedsync: {words}\n")
    sys.stderr.flush()


sys.stdout = sys.stderr  # what a script prints is part of the run's log
last = Last()
for kind in (TaskSet, DefaultTaskSet):
    kind.execute_task = last.counting(kind.execute_task)
events.init.add_listener(last.begin)
events.request.add_listener(last.requested)
events.user_error.add_listener(last.saw)
events.quit.add_listener(last.say)
