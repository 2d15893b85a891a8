"""Permits of tests that have not begun: known to the guard, not in force, judged again."""

from datetime import datetime, timedelta

import pytest

from audit import services as audit
from calendar_guard import services
from calendar_guard.models import Permit
from tests.calendar_guard import running
from tests.calendar_guard.examples import DAY, HOUR, LONDON, MINUTE, at

pytestmark = pytest.mark.django_db
NOW = at("2026-06-10 10:00", LONDON)  # a Wednesday
SATURDAY = at("2026-06-13 10:00", LONDON)


def scheduled(start: datetime = NOW + DAY) -> services.PermitWord:
    return running.grant(start=start, duration=30 * MINUTE)


def move(permit: services.PermitWord, start: datetime, lasts: timedelta = HOUR) -> services.Renewal:
    return services.move(permit_id=permit.id, start=start, duration=lasts, now=NOW)


def test_it_is_not_in_force_until_its_time() -> None:
    permit = scheduled()
    assert services.permits_in_force(now=NOW) == []
    assert services.permits_in_force(now=NOW + DAY) == [permit]


def test_it_moves_to_another_time_that_is_judged_whole() -> None:
    permit = scheduled()
    assert move(permit, NOW + 2 * HOUR).safe
    moved = Permit.objects.get()
    assert (moved.starts_at, moved.ends_at) == (NOW + 2 * HOUR, NOW + 3 * HOUR)


def test_moved_to_a_saturday_it_is_revoked_and_the_verdict_kept() -> None:
    permit = scheduled()
    answer = move(permit, SATURDAY)
    assert (answer.safe, answer.revoked_by) == (False, "calendar")
    assert "Saturday" in answer.revoked_why
    assert answer.verdict.next_safe_window is not None
    assert Permit.objects.get().revoked_at == NOW
    kept = audit.entries(action="verdict")
    assert (kept[0].actor, len(kept)) == ("calendar", 2)


def test_what_was_revoked_does_not_move_and_says_who_did_it() -> None:
    permit = scheduled()
    services.revoke(permit_id=permit.id, by="mara", why="the DJ is early", now=NOW)
    answer = move(permit, NOW + HOUR)
    assert (answer.safe, answer.revoked_by, answer.revoked_why) == (
        False,
        "mara",
        "the DJ is early",
    )
    (told,) = services.revoked(permit_ids=[permit.id])
    assert (told.id, told.revoked_by) == (permit.id, "mara")


def test_only_those_that_were_taken_away_are_told() -> None:
    assert services.revoked(permit_ids=[scheduled().id]) == []
    assert services.revoked(permit_ids=[]) == []
