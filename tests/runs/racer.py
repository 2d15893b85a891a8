"""A process that starts, drives or stops tests of one site in a test's database: ROLE NAME VALKEY.

It starts when told to by a byte. All but the starters go on until their input ends.
"""

import os
import select
import sys
from collections.abc import Iterator
from typing import Any

import django

MOVED = os.environ.get("WEDSYNC_CLOCK_OFFSET", "0")  # the settings of tests stand on real time

from tests import settings as ours  # noqa: E402

EACH = 6
PAUSE_S = 0.02


def laps() -> Iterator[None]:
    """A moment between them, since SQLite has no queue: who never lets go starves the others."""
    last = False
    while not last:
        last = bool(select.select([sys.stdin], [], [], PAUSE_S)[0])
        yield


def start() -> None:
    from django.contrib.auth.models import User

    import clock
    from runs import services
    from tests.runs.conftest import request_for

    ellen = User.objects.get(username="ellen")
    for _ in range(EACH):
        services.start(by=ellen, request=request_for(), now=clock.now())


def drive() -> None:
    """As two workers do that end their runs at the same time; never are there two runs at once."""
    import clock
    from runs import engine, moves, tasks
    from runs.models import HELD_BY_A_WORKER, Run, State
    from runs.outcome import Outcome

    occupied = [State.REQUESTED, *HELD_BY_A_WORKER]
    for _ in laps():
        run = Run.objects.filter(state=State.REQUESTED).first()
        if run and moves.move(
            run.pk,
            of=[State.REQUESTED],
            to=State.RUNNING,
            by="worker",
            why="it is free",
            now=clock.now(),
        ):
            assert Run.objects.filter(state__in=occupied).count() == 1
            engine.finish(run, Outcome("passed", "fine"))
        tasks.let_in(clock.now())


def stop() -> None:
    import clock
    from runs import services
    from runs.models import Run, State

    for _ in laps():
        for run in Run.objects.filter(state=State.QUEUED):
            if run.pk % 4 == 0:
                services.stop(run_id=str(run.pk), by="mara", now=clock.now())


def hold() -> None:
    """The calendar is written meanwhile, which looks at every permit that is not over."""
    from datetime import timedelta

    import clock
    from calendar_guard import services

    for _ in laps():
        now = clock.now()
        begins = now + timedelta(days=2)
        placed, _stopped = services.place_hold(
            reason="rehearsal", starts_at=begins, ends_at=begins + timedelta(hours=1), by="mara",
            now=now,
        )  # fmt: skip
        services.lift_hold(hold_id=placed, by="mara", now=now)


def main(role: str, name: str, valkey: str) -> None:
    os.environ["WEDSYNC_CLOCK_OFFSET"] = MOVED
    ours.WEDSYNC_VALKEY_URL = ours.CELERY_BROKER_URL = valkey
    layer: dict[str, Any] = ours.CHANNEL_LAYERS["default"]
    layer["CONFIG"]["hosts"][0]["address"] = valkey
    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    print("ready", flush=True)
    assert os.read(0, 1)  # unbuffered, so that `select` sees what is left
    {"start": start, "drive": drive, "stop": stop, "hold": hold}[role]()


if __name__ == "__main__":
    main(*sys.argv[1:])
