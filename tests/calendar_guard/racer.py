"""A process that grants, saves, renews or revokes in a test's database: ROLE NAME VALKEY.

It starts when told to by a byte. All but the granters go on until their input ends.
"""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import django

SLOTS, WITH_A_WEDDING = 15, slice(None, None, 3)
MONDAY = datetime.fromisoformat("2026-06-15T00:00:00+01:00")
NOW = MONDAY - timedelta(days=4)
LONG = timedelta(minutes=10)
PAUSE_S = 0.1


def slots() -> list[datetime]:
    """Every sixth hour from Monday to Thursday."""
    return [MONDAY + timedelta(hours=6 * number) for number in range(SLOTS)]


def laps() -> Iterator[None]:
    """The last one begins after the input has ended.

    A moment between them, since SQLite has no queue: who never lets go starves the others.
    """
    last = False
    while not last:
        last = bool(select.select([sys.stdin], [], [], PAUSE_S)[0])
        yield


def grant() -> None:
    from calendar_guard import services
    from tests.calendar_guard import running

    for start in slots():
        with contextlib.suppress(services.Refused):
            running.grant(start, LONG, now=NOW)


def save() -> None:
    """Weddings come, are cancelled and come back; in the end all of them are there."""
    from calendar_guard import writing
    from calendar_guard.models import Wedding

    none = timedelta(0)
    weddings = [
        Wedding(title="Ada & Grace", starts_at=at, ends_at=at + LONG, setup=none, teardown=none)
        for at in reversed(slots()[WITH_A_WEDDING])
    ]
    for _ in laps():
        for status in (Wedding.Status.CANCELLED, Wedding.Status.CONFIRMED):
            for wedding in weddings:
                wedding.status = status
            writing.write_weddings(save=weddings, by="mara", now=NOW)


def renew() -> None:
    """As the workers do that drive runs: every permit, again and again."""
    from calendar_guard import permits
    from tests.calendar_guard import running

    for _ in laps():
        for permit in running.let_in(NOW):
            permits.renew(permit_id=permit.id, doing="412/s", now=NOW)


def revoke() -> None:
    from calendar_guard import permits
    from tests.calendar_guard import running

    for _ in laps():
        for permit in running.let_in(NOW):
            if permit.id % 5 == 0:
                permits.revoke(permit_id=permit.id, by="engineer", why="stop", now=NOW)


def main(role: str, name: str, _: str) -> None:
    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    print("ready", flush=True)
    assert os.read(0, 1)  # unbuffered, so that `select` sees what is left
    {"grant": grant, "save": save, "renew": renew, "revoke": revoke}[role]()


if __name__ == "__main__":
    main(*sys.argv[1:])
