"""Real processes on the database in use: grants and calendar writes queue up behind each other."""

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from audit import services as audit
from calendar_guard import permits, services, writing
from calendar_guard.models import Permit, Wedding
from tests.calendar_guard.racer import LONG, NOW
from tests.calendar_guard.running import grant, let_in
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PATIENCE_S = 100


class Racer:
    def __init__(self, role: str, module: str = "tests.calendar_guard.racer") -> None:
        name = str(connection.settings_dict["NAME"])
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, role, name, settings.WEDSYNC_VALKEY_URL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"WEDSYNC_LOG_LEVEL": "ERROR"},  # a late Valkey is no deadlock
        )

    def wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"!")
        self._process.stdin.flush()

    def finish(self) -> None:
        """Ask it to end, and see that it met no deadlock and no locked database."""
        _, errors = self._process.communicate(timeout=PATIENCE_S)
        assert (self._process.returncode, errors) == (0, b"")

    def granted(self) -> None:
        self._process.wait(PATIENCE_S)
        self.finish()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def race() -> None:
    with ExitStack() as stack:
        granters = [Racer("grant"), Racer("grant")]
        others = [Racer("save"), Racer("renew"), Racer("revoke")]
        for racer in (*granters, *others):
            stack.callback(racer.close)
        for racer in (*granters, *others):
            racer.wait_until_ready()
        for racer in (*granters, *others):
            racer.go()
        for racer in granters:
            racer.granted()
        for racer in others:
            racer.finish()


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(2 * PATIENCE_S)
@pytest.mark.bulk
def test_grants_and_weddings_that_race_leave_no_permit_that_the_calendar_forbids() -> None:
    race()

    kept = let_in(NOW)
    verdicts = [services.check(start=one.start, duration=LONG, now=NOW) for one in kept]
    assert [verdict.blocked_by for verdict in verdicts if not verdict.safe] == []
    assert kept
    stoppers = set(Permit.objects.exclude(revoked_at=None).values_list("revoked_by", flat=True))
    assert stoppers == {"calendar", "engineer"}
    assert audit.verify().broken is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has but one lock")
def test_whoever_stops_a_test_that_a_wedding_stops_too_waits_and_is_told_so() -> None:
    """Every way to stop takes the permit before the audit's queue, else two of them deadlock."""
    permit = grant(NOW, LONG, now=NOW)
    wedding = Wedding(title="Ada & Grace", starts_at=NOW, ends_at=NOW + LONG)

    def save() -> int:
        with contextlib.closing(connection):
            return len(writing.write_weddings(save=[wedding], by="mara", now=NOW))

    def revoke() -> bool:
        with contextlib.closing(connection):
            return permits.revoke(permit_id=permit.id, by="ellen", why="stop", now=NOW)

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            audit.record(action="slow", actor="ada", subject="queue", data={}, now=NOW)
            saved = pool.submit(save)
            until(lambda: waiting() == 1, within=20, what="the wedding's place in the queue")
            revoked = pool.submit(revoke)
            until(lambda: waiting() == 2, within=20, what="the engineer's place in the queue")
        assert (saved.result(20), revoked.result(20)) == (1, False)
    assert Permit.objects.get().revoked_by == "calendar"


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's lock stops the tests too")
def test_a_process_that_is_frozen_under_the_calendars_lock_loses_it_after_ten_seconds() -> None:
    """Else every coordinator would wait, while tests go on: a renewal needs no such lock."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("10s",)


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])
