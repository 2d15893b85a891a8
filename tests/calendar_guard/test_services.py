"""The guard over a real database; every test says itself what time it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from calendar_guard import services
from calendar_guard.models import Permit, Wedding
from tests.calendar_guard import running
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, LONDON, MINUTE, at

pytestmark = pytest.mark.django_db

NOW = at("2026-06-10 10:00", LONDON)  # a Wednesday in season
SATURDAY = at("2026-06-13 10:00", LONDON)


def save_wedding(starts_at: datetime, ends_at: datetime, **changes: Any) -> Wedding:
    facts = {"title": "Ada & Grace", "zone": LONDON, "status": "confirmed"}
    return Wedding.objects.create(starts_at=starts_at, ends_at=ends_at, **(facts | changes))


grant = partial(running.grant, duration=30 * MINUTE)


def renew(permit: services.PermitWord, now: datetime, **changes: Any) -> services.Renewal:
    return services.renew(permit_id=permit.id, doing="412/s", now=now, **changes)


def test_a_question_leaves_no_trace() -> None:
    assert services.check(start=NOW, duration=HOUR, now=NOW).safe
    assert not services.check(start=SATURDAY, duration=HOUR, now=NOW).safe
    assert not Permit.objects.exists()


def test_a_moment_without_an_offset_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no offset"):
        services.check(start=NOW.replace(tzinfo=None), duration=HOUR, now=NOW)


def test_the_calendar_in_the_database_is_asked() -> None:
    party = save_wedding(NOW + 3 * HOUR, NOW + 9 * HOUR, zone=BERLIN)
    verdict = services.check(start=NOW, duration=HOUR, now=NOW)

    assert verdict.reason == "a wedding would begin before the run ends"
    assert f"wedding {party.pk} " in verdict.blockers[0].what
    assert "Ada" not in str(verdict)


@pytest.mark.parametrize("days_ago", [1, 6, 20])
def test_a_live_wedding_is_found_however_long_ago_it_was_planned(days_ago: int) -> None:
    began = NOW - days_ago * DAY
    save_wedding(began, began + HOUR, status="live")

    assert "active wedding" in services.check(start=NOW, duration=HOUR, now=NOW).reason


def test_a_wedding_completed_long_after_its_planned_end_is_found() -> None:
    began = NOW - 20 * DAY
    save_wedding(began, began + HOUR, status="completed", completed_at=NOW - 10 * MINUTE)

    assert "active wedding" in services.check(start=NOW, duration=HOUR, now=NOW).reason


def test_a_yes_is_a_row() -> None:
    with time_machine.travel(at("2030-01-01 00:00"), tick=False):
        permit = grant()

    assert (permit.start, permit.end) == (NOW, NOW + 30 * MINUTE)
    assert permit.verdict.safe
    assert (permit.run_id, permit.label, permit.doing, permit.revoked_by) == (
        "12",
        "guest rush",
        "",
        "",
    )
    assert permit.renewed_at == at("2030-01-01 00:00")  # a lease lives in real time
    assert services.permits_in_force(now=NOW) == [permit]


def test_a_no_says_why_and_leaves_no_row() -> None:
    with pytest.raises(services.Refused, match="Saturday wedding day protection") as refusal:
        grant(start=SATURDAY)

    window = refusal.value.verdict.next_safe_window
    assert window
    assert window.start == at("2026-06-15 08:00", LONDON)
    assert not Permit.objects.exists()


def test_a_renewal_keeps_the_run_alive_and_says_what_it_does() -> None:
    permit = grant()
    with time_machine.travel(at("2030-01-01 00:00"), tick=False):
        renewal = renew(permit, NOW + 10 * MINUTE)

    (renewed,) = services.permits_in_force(now=NOW + 10 * MINUTE)
    assert renewal.safe
    assert renewed.doing == "412/s"
    assert renewed.renewed_at == at("2030-01-01 00:00")
    assert (renewed.start, renewed.end) == (permit.start, permit.end)


def test_the_launch_moves_the_permit() -> None:
    permit = grant()
    launched = NOW + 20 * MINUTE
    assert renew(permit, launched, until=launched + 30 * MINUTE).safe

    (moved,) = services.permits_in_force(now=launched)
    assert (moved.start, moved.end) == (launched, launched + 30 * MINUTE)


def test_a_launch_that_would_now_reach_a_wedding_is_revoked() -> None:
    permit = grant()
    save_wedding(NOW + 3 * HOUR + 16 * MINUTE, NOW + 9 * HOUR)  # set-up 46 minutes after the run
    assert renew(permit, NOW + MINUTE).safe
    launched = NOW + 40 * MINUTE
    renewal = renew(permit, launched, until=launched + 30 * MINUTE)

    assert not renewal.safe
    assert renewal.revoked_by == "calendar"
    assert renewal.revoked_why == "a wedding would begin before the run ends"


def test_a_wedding_added_during_a_run_revokes_it_at_the_next_renewal() -> None:
    permit = grant()
    save_wedding(NOW - HOUR, NOW + 5 * HOUR)
    renewal = renew(permit, NOW + MINUTE)

    assert not renewal.safe
    assert (renewal.revoked_by, renewal.revoked_why) == ("calendar", "1 active wedding in progress")
    row = Permit.objects.get()
    assert (row.revoked_at, row.revoked_by) == (NOW + MINUTE, "calendar")
    assert services.permits_in_force(now=NOW + MINUTE) == []


def test_a_run_is_not_stopped_in_the_name_of_a_window_that_it_does_not_need(
    settings: Settings,
) -> None:
    permit = grant()
    settings.WEDSYNC_GUARD = {"zones": (LONDON,), "horizon": HOUR}
    save_wedding(NOW - HOUR, NOW + 5 * HOUR)
    renewal = renew(permit, NOW + MINUTE)

    assert "no window of" in renewal.verdict.reason
    assert renewal.revoked_why == "1 active wedding in progress"
    assert Permit.objects.get().revoked_why == "1 active wedding in progress"


def test_a_revoked_permit_stays_revoked_with_its_first_reason() -> None:
    permit = grant()
    party = save_wedding(NOW - HOUR, NOW + 5 * HOUR)
    first = renew(permit, NOW + MINUTE)
    party.delete()

    assert renew(permit, NOW + 2 * MINUTE) == first


def test_a_wedding_after_the_rest_of_the_run_does_not_stop_it() -> None:
    permit = grant()
    save_wedding(NOW + 2 * HOUR + 46 * MINUTE, NOW + 9 * HOUR)

    assert renew(permit, NOW + 29 * MINUTE).safe


def test_whoever_revokes_first_stays_the_one() -> None:
    permit = grant()
    save_wedding(NOW - HOUR, NOW + 5 * HOUR)

    assert services.revoke(permit_id=permit.id, by="ada", why="the cake fell", now=NOW)
    assert not services.revoke(permit_id=permit.id, by="grace", why="stop", now=NOW)
    renewal = renew(permit, NOW + MINUTE)
    services.give_back(permit_id=permit.id, now=NOW + 2 * MINUTE)

    assert (renewal.safe, renewal.revoked_by, renewal.revoked_why) == (
        False,
        "ada",
        "the cake fell",
    )
    row = Permit.objects.get()
    assert (row.revoked_by, row.given_back_at) == ("ada", None)


def test_after_the_calendar_nobody_else_revokes() -> None:
    permit = grant()
    save_wedding(NOW - HOUR, NOW + 5 * HOUR)
    renew(permit, NOW + MINUTE)

    assert not services.revoke(permit_id=permit.id, by="ada", why="stop", now=NOW + MINUTE)
    assert Permit.objects.get().revoked_by == "calendar"


@pytest.mark.django_db(transaction=True)
def test_of_three_who_revoke_at_once_one_is_first() -> None:
    permit = grant()
    save_wedding(NOW - HOUR, NOW + 5 * HOUR)
    together = Barrier(3)

    def revoke(by: str) -> str | None:
        together.wait(timeout=20)
        try:
            if by == "calendar":
                return renew(permit, NOW + MINUTE).revoked_by
            first = services.revoke(permit_id=permit.id, by=by, why="stop", now=NOW + MINUTE)
            return by if first else None
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        calendar, *people = pool.map(revoke, ["calendar", "engineer", "coordinator"])

    winner = Permit.objects.get().revoked_by
    assert calendar == winner  # whoever it was, the renewal tells the run
    assert [who for who in people if who] == ([] if winner == "calendar" else [winner])


def test_a_permit_given_back_is_over() -> None:
    permit = grant()
    services.give_back(permit_id=permit.id, now=NOW + 5 * MINUTE)

    assert services.permits_in_force(now=NOW + 6 * MINUTE) == []
    assert not services.revoke(permit_id=permit.id, by="ada", why="stop", now=NOW + 6 * MINUTE)
    renewal = renew(permit, NOW + 6 * MINUTE)
    assert (renewal.safe, renewal.revoked_why) == (False, "The permit was given back")


def test_a_permit_outlives_its_end_by_the_stop_time() -> None:
    permit = grant()
    end = permit.end

    assert [p.id for p in services.permits_in_force(now=end + 59 * MINUTE / 60)] == [permit.id]
    assert services.permits_in_force(now=end + MINUTE) == []
    assert renew(permit, end + MINUTE).safe
    renewal = renew(permit, end + MINUTE + timedelta(seconds=1))
    assert (renewal.safe, renewal.revoked_why) == (False, "The time that was permitted is over")


def test_a_permit_is_not_in_force_before_it_starts() -> None:
    grant(start=NOW + HOUR)

    assert services.permits_in_force(now=NOW) == []


def test_an_unknown_permit_is_no_permit() -> None:
    with pytest.raises(services.UnknownPermit, match="no permit 404"):
        services.renew(permit_id=404, doing="", now=NOW)
    assert not services.revoke(permit_id=404, by="ada", why="stop", now=NOW)


def test_a_renewal_asks_no_more_than_it_must() -> None:
    permit = grant()
    with CaptureQueriesContext(connection) as queries:
        renew(permit, NOW + MINUTE)
    asked = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]

    # The permit; holds, first wedding ahead, weddings that touch, live ones, zones; the lease.
    assert [sql.split()[0] for sql in asked] == [*["SELECT"] * 5, "WITH", "UPDATE"]


def test_the_context_comes_from_the_calendar() -> None:
    save_wedding(NOW + 20 * HOUR, NOW + 30 * HOUR)
    context = services.context(now=NOW)

    assert (context.wedding_season, context.wedding_peak_time) == (True, False)
    assert context.estimated_wedding_load == 1


def test_the_week_ahead_shows_every_protected_span() -> None:
    save_wedding(NOW + 3 * HOUR, NOW + 9 * HOUR)
    spans = services.protected_spans(start=NOW, end=NOW + 7 * DAY, now=NOW)

    assert [(span.rule, span.end and span.end - span.start) for span in spans] == [
        ("wedding", 9 * HOUR),
        ("protected_weekday", 24 * HOUR),
    ]


def test_the_policy_comes_from_the_settings(settings: Settings) -> None:
    settings.WEDSYNC_GUARD = {"zones": (LONDON,), "protected_weekdays": (2,)}

    assert (
        services.check(start=NOW, duration=HOUR, now=NOW).reason
        == "Wednesday wedding day protection"
    )


def test_a_guard_without_any_zone_does_not_guess(settings: Settings) -> None:
    settings.WEDSYNC_GUARD = {"zones": ()}

    with pytest.raises(ImproperlyConfigured, match="names no zone"):
        services.check(start=NOW, duration=HOUR, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": NOW},
        {"setup": -HOUR},
        {"teardown": 8 * DAY},
        {"ends_at": at("2200-01-02 00:00")},
    ],
)
def test_the_database_keeps_impossible_weddings_out(changes: dict[str, Any]) -> None:
    facts: dict[str, Any] = {"starts_at": NOW, "ends_at": NOW + HOUR} | changes
    with pytest.raises(IntegrityError), transaction.atomic():
        save_wedding(**facts)
