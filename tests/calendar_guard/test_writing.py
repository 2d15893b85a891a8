"""Calendar writes: remembered, audited, and stopping at once what they forbid."""

from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit import services as audit
from calendar_guard import coordinating, declaring, permits, replay, services, writing, zones
from calendar_guard.models import Change, Coordinator, Feed, Hold, Permit, Wedding
from calendar_guard.reading import question
from calendar_guard.weddings import keeping
from tests.calendar_guard.examples import BERLIN, DAY, HOUR, LONDON, MINUTE, at
from tests.calendar_guard.running import add, grant, wedding

pytestmark = pytest.mark.django_db

NOW = at("2026-06-10 10:00", LONDON)
COUPLE = "Ada & Grace"


def add_feed(**facts: Any) -> Feed:
    words = {"name": "venue", "url": "https://a.example/a.ics", "created_at": NOW, "due_at": NOW}
    return Feed.objects.create(**(words | facts))


def reasons(**changes: Any) -> str:
    return services.check(start=NOW, duration=HOUR, now=NOW, **changes).reason


def test_saving_a_wedding_stops_the_tests_that_it_forbids_and_says_which() -> None:
    hit, later = grant(), grant(NOW + 20 * HOUR)
    stopped = writing.write_weddings(save=[wedding(NOW + 2 * HOUR)], by="mara", now=NOW)

    assert [permit.id for permit in stopped] == [hit.id]
    assert Permit.objects.get(pk=hit.id).revoked_why == "1 active wedding in progress"
    assert Permit.objects.get(pk=later.id).revoked_at is None
    assert not services.renew(permit_id=hit.id, doing="", now=NOW).safe


def test_a_test_that_was_let_in_for_later_is_stopped_too() -> None:
    later = grant(NOW + 20 * HOUR)
    stopped = writing.write_weddings(save=[wedding(NOW + 20 * HOUR)], by="mara", now=NOW)

    assert [permit.id for permit in stopped] == [later.id]


def test_a_hold_blocks_until_it_ends_or_is_lifted() -> None:
    hold, stopped = services.place_hold(
        reason="VIP rehearsal", starts_at=NOW, ends_at=NOW + HOUR, by="mara", now=NOW
    )
    assert stopped == []
    verdict = services.check(start=NOW, duration=HOUR, now=NOW)
    assert verdict.reason == "1 hold in force"
    assert f"for hold {hold} from" in verdict.blockers[0].what
    assert verdict.next_safe_window
    assert verdict.next_safe_window.start == NOW + HOUR + 15 * MINUTE

    assert services.lift_hold(hold_id=hold, by="mara", now=NOW)
    assert not services.lift_hold(hold_id=hold, by="mara", now=NOW)
    assert reasons() == "No active weddings detected"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"reason": " "}, "reason", "Say why"),
        ({"ends_at": NOW - HOUR}, "ends_at", "end before it starts"),
        ({"starts_at": NOW - 2 * HOUR, "ends_at": NOW - HOUR}, "ends_at", "past"),
        ({"ends_at": NOW + 40 * DAY}, "ends_at", "31 days at most"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_in_words(
    changes: dict[str, Any], field: str, said: str
) -> None:
    words: dict[str, Any] = {"reason": "rehearsal", "starts_at": NOW, "ends_at": NOW + HOUR}
    with pytest.raises(services.Invalid, match=said) as refusal:
        services.place_hold(**(words | changes), by="mara", now=NOW)
    assert refusal.value.field == field


def test_a_wedding_that_goes_on_is_protected_until_completed() -> None:
    party = add(NOW - 10 * HOUR, hours=10)
    assert reasons() == "1 active wedding in progress"  # its tear-down
    late: dict[str, Any] = {"start": NOW + 3 * HOUR, "duration": HOUR, "now": NOW + 3 * HOUR}
    assert services.check(**late).safe

    keeping.still_going(wedding_id=party.pk, by="mara", now=NOW)
    assert not services.check(**late).safe
    keeping.complete(wedding_id=party.pk, by="mara", now=NOW + HOUR)
    assert services.check(**late).safe
    assert [(c.field, c.old, c.new) for c in Change.objects.filter(field="status")] == [
        ("status", "live", "completed"),
        ("status", "confirmed", "live"),
    ]


def test_who_changed_what_is_kept_beside_the_wedding_and_no_name_in_the_audit() -> None:
    party = add(NOW + DAY)
    party.title, party.venue = "Ada & Joan", "Abbey"
    writing.write_weddings(save=[party], by="jo", now=NOW + MINUTE)
    mara = Coordinator.objects.create(name="Mara Lind")
    coordinating.set_people(people={party.pk: [mara]}, by="jo", now=NOW + HOUR)

    kept = party.changes.values_list("by", "field", "old", "new")
    assert list(kept) == [
        ("jo", "coordinators", "", "Mara Lind"),
        ("jo", "venue", "", "Abbey"),
        ("jo", "title", COUPLE, "Ada & Joan"),
        ("mara", "wedding", "", "added"),
    ]
    logged = str(audit.entries(action="calendar"))
    assert f"'id': {party.pk}" in logged
    assert not any(name in logged for name in ("Ada", "Joan", "Abbey", "Lind"))
    assert audit.verify().broken is None


def test_a_calendar_without_feeds_is_never_stale() -> None:
    assert services.check(start=NOW + 400 * DAY, duration=HOUR, now=NOW).safe


def test_a_stale_feed_blocks_launches_but_stops_no_test_that_runs() -> None:
    feed = add_feed(good_at=NOW - 5 * HOUR, known_until=NOW + 300 * DAY)
    permit = grant()
    assert services.renew(permit_id=permit.id, doing="", now=NOW, until=NOW + HOUR).safe

    later = NOW + 30 * MINUTE
    feed.good_at = later - 6 * HOUR
    feed.save()
    verdict = services.check(start=later, duration=MINUTE, now=later)
    assert verdict.reason.startswith("the wedding calendar is not known to be complete; no window")
    assert verdict.blockers[0].end is None
    assert f"feed {feed.pk}: it was last read 6 h ago" in verdict.blockers[0].what
    assert services.renew(permit_id=permit.id, doing="", now=later).safe
    launch = services.renew(permit_id=permit.id, doing="", now=later, until=later + HOUR)
    assert not launch.safe


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "it was never read"),
        ({"problem": "no route to a.example"}, "it was never read"),
        (
            {"good_at": NOW, "known_until": NOW + DAY, "broken_at": NOW, "problem": "shrank"},
            "says why",
        ),
    ],
)
def test_a_feed_that_cannot_be_trusted_blocks_at_once(facts: dict[str, Any], said: str) -> None:
    add_feed(**facts)
    verdict = services.check(start=NOW, duration=HOUR, now=NOW)
    assert not verdict.safe
    assert said in verdict.blockers[0].what


def test_a_feed_out_of_use_blocks_nothing() -> None:
    add_feed(is_active=False)
    assert reasons() == "No active weddings detected"


def test_a_coordinators_word_stands_in_for_a_stale_feed_until_it_expires() -> None:
    add_feed()
    services.attest(until=NOW + 4 * HOUR, why="Called every venue", by="mara", now=NOW)

    assert services.check(start=NOW, duration=HOUR, now=NOW).safe
    assert not services.check(start=NOW, duration=4 * HOUR, now=NOW).safe
    later = NOW + 4 * HOUR
    assert not services.check(start=later, duration=MINUTE, now=later).safe
    [entry] = audit.entries(action="calendar")
    assert (entry.actor, entry.data["until"][:16]) == ("mara", "2026-06-10T13:00")


def test_a_word_that_a_clock_gave_which_was_ahead_reaches_no_further_than_a_day() -> None:
    add_feed()
    ahead = NOW + 365 * DAY
    services.attest(until=ahead + 4 * HOUR, why="Called every venue", by="mara", now=ahead)

    assert not services.check(start=NOW, duration=HOUR, now=NOW).safe
    assert services.freshness(now=NOW).attested_until is None


@pytest.mark.parametrize("until", [NOW, NOW + 25 * HOUR])
def test_nobody_can_confirm_the_past_or_more_than_a_day(until: datetime) -> None:
    with pytest.raises(services.Invalid, match="at most 24 hours"):
        services.attest(until=until, why="sure", by="mara", now=NOW)


def test_no_word_of_a_coordinator_lifts_a_saturday_or_a_wedding() -> None:
    saturday = at("2026-06-13 10:00", LONDON)
    add(NOW + HOUR)
    services.attest(until=NOW + 5 * HOUR, why="sure", by="mara", now=NOW)
    services.attest(until=saturday + 5 * HOUR, why="sure", by="mara", now=saturday)

    assert not services.check(start=NOW, duration=HOUR, now=NOW).safe
    assert not services.check(start=saturday, duration=HOUR, now=saturday).safe


def test_new_zone_data_moves_weddings_to_come_and_leaves_the_past() -> None:
    past, ahead = add(NOW - 9 * DAY, zone=BERLIN), add(NOW + 9 * DAY, zone=BERLIN)
    hour_off = {"starts_at": NOW + 9 * DAY + HOUR, "zone_data": "2020a"}
    Wedding.objects.filter(pk=ahead.pk).update(**hour_off)
    Wedding.objects.filter(pk=past.pk).update(zone_data="2020a")

    assert writing.follow_zone_data(now=NOW) == 1
    assert writing.follow_zone_data(now=NOW) == 0
    ahead.refresh_from_db()
    past.refresh_from_db()
    assert (ahead.starts_at, ahead.zone_data) == (NOW + 9 * DAY, zones.data_version())
    assert past.zone_data == "2020a"


def test_a_cancelled_wedding_follows_new_zone_data_before_it_is_confirmed_again() -> None:
    off = add(NOW + 9 * DAY, zone=BERLIN, status="cancelled")
    hour_off = {"starts_at": NOW + 9 * DAY + HOUR, "zone_data": "2020a"}
    Wedding.objects.update(**hour_off)

    assert writing.follow_zone_data(now=NOW) == 1
    off.refresh_from_db()
    assert off.starts_at == NOW + 9 * DAY

    Wedding.objects.update(**hour_off)
    off.refresh_from_db()
    off.status = Wedding.Status.CONFIRMED
    writing.write_weddings(save=[off], by="mara", now=NOW)
    assert Wedding.objects.get().guarded_from == NOW + 9 * DAY - 2 * HOUR


def test_who_moves_a_wedding_with_old_zone_data_moves_only_what_they_say() -> None:
    party = add(NOW + 9 * DAY, zone=BERLIN)
    ends = party.ends_at
    Wedding.objects.update(ends_at=ends + HOUR, zone_data="2020a")
    party.refresh_from_db()
    party.starts_at += 2 * HOUR
    writing.write_weddings(save=[party], by="mara", now=NOW)
    assert (party.starts_at, party.ends_at) == (NOW + 9 * DAY + 2 * HOUR, ends)


def test_what_is_pressed_while_new_zone_data_is_followed_stands() -> None:
    """The rows are read under the lock: each query finds whether it is inside."""
    add(NOW - HOUR, zone=BERLIN)
    Wedding.objects.update(zone_data="2020a")
    outside: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if '"title"' in sql and sql.startswith("SELECT") and len(connection.savepoint_ids) == depth:
            outside.append(sql)
        return execute(sql, *rest)

    depth = len(connection.savepoint_ids)
    with connection.execute_wrapper(note):
        assert writing.follow_zone_data(now=NOW) == 0
    assert outside == []
    assert Wedding.objects.get().zone_data == zones.data_version()


def test_a_completed_wedding_whose_start_new_zone_data_puts_ahead_stays_completed() -> None:
    add(NOW - 30 * MINUTE, zone=BERLIN, status="completed")
    wall = zones.local_text(NOW + 30 * MINUTE, zones.find(BERLIN))
    Wedding.objects.update(wall_start=wall, zone_data="2020a")
    assert writing.follow_zone_data(now=NOW) == 1
    assert Wedding.objects.get().status == "completed"


def test_a_wedding_that_was_removed_meanwhile_is_not_written_again() -> None:
    gone, stays = add(NOW + DAY), add(NOW + 2 * DAY)
    Wedding.objects.filter(pk=gone.pk).delete()
    gone.title = stays.title = "Late"
    writing.write_weddings(save=[gone, stays], by="mara", now=NOW)

    assert list(Wedding.objects.values_list("pk", "title")) == [(stays.pk, "Late")]
    assert not Change.objects.filter(wedding_id=gone.pk).exists()
    logged = audit.entries(action="calendar")[0].data["saved"]
    assert [saved["id"] for saved in logged] == [stays.pk]


def test_nothing_is_completed_before_it_has_begun() -> None:
    party = add(NOW + HOUR)
    party.status = Wedding.Status.COMPLETED
    for one in (party, wedding(NOW + HOUR, status="completed")):
        with pytest.raises(services.Invalid, match="has not begun") as refusal:
            writing.write_weddings(save=[one], by="mara", now=NOW)
        assert refusal.value.field == "status"


def test_the_history_of_a_year_ago_stops_no_test() -> None:
    running = grant()
    old = wedding(NOW - 400 * DAY, status="completed")
    assert writing.write_weddings(save=[old], by="mara", now=NOW) == []
    assert old.completed_at == old.ends_at
    assert services.renew(permit_id=running.id, doing="", now=NOW).safe


def test_a_wedding_in_its_tear_down_is_completed_at_the_pressing() -> None:
    party = add(NOW - 6 * HOUR - 30 * MINUTE)
    keeping.complete(wedding_id=party.pk, by="mara", now=NOW)
    assert Wedding.objects.get().completed_at == NOW


def test_many_holds_are_one_write() -> None:
    hit = grant()
    spans = [(NOW + n * HOUR, NOW + (n + 1) * HOUR) for n in range(3)]
    holds = [
        Hold(reason="x", starts_at=starts, ends_at=ends, created_by="mara", created_at=NOW)
        for starts, ends in spans
    ]
    assert [one.id for one in declaring.write_holds(save=holds, by="mara", now=NOW)] == [hit.id]
    [entry] = audit.entries(action="calendar")
    assert [saved["id"] for saved in entry.data["saved"]] == [hold.pk for hold in holds]
    assert Hold.objects.count() == 3


def test_a_permit_that_is_revoked_while_it_is_judged_is_not_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    permit = grant()

    def slow(*asked: Any, **more: Any) -> Any:
        services.revoke(permit_id=permit.id, by="mara", why="the band plays", now=NOW)
        return question(*asked, **more)

    monkeypatch.setattr(permits, "question", slow)
    renewal = services.renew(permit_id=permit.id, doing="late", now=NOW)
    assert (renewal.safe, renewal.revoked_by, renewal.revoked_why) == (
        False,
        "mara",
        "the band plays",
    )
    assert Permit.objects.get().doing == ""


def test_a_week_by_the_wall_is_protected_whole_over_the_autumn_night() -> None:
    starts = at("2026-10-20 12:00", LONDON)
    week = wedding(starts, 7 * 24 + 1, setup=7 * DAY, teardown=7 * DAY)
    week.settle()
    assert week.guarded_from == starts - 7 * DAY


@pytest.mark.parametrize("start", [NOW, at("2026-06-13 10:00", LONDON)])
def test_a_verdict_is_reached_again_from_what_was_kept(start: datetime) -> None:
    add(NOW + 30 * HOUR)
    add_feed(good_at=NOW, known_until=NOW + 90 * DAY)
    services.place_hold(
        reason="x", starts_at=NOW + DAY, ends_at=NOW + 25 * HOUR, by="mara", now=NOW
    )
    try:
        grant(start)
    except services.Refused:
        assert start != NOW
    [entry] = audit.entries(action="verdict")
    assert replay.replay(entry.data).agrees
    assert COUPLE not in str(entry.data)

    writing.write_weddings(save=[wedding(NOW)], by="mara", now=NOW)  # what came later counts not
    out = StringIO()
    call_command("replay_verdict", str(entry.id), stdout=out)
    assert "Judged again: the same answer." in out.getvalue()
    assert "asked by engineer" in out.getvalue()


def test_a_replay_that_disagrees_says_so() -> None:
    grant()
    [entry] = audit.entries(action="verdict")
    data = {**entry.data} | {"verdict": entry.data["verdict"] | {"safe": False}}
    forged = audit.record(action="verdict", actor="x", subject="run 9", data=data, now=NOW)

    said = StringIO()
    with pytest.raises(CommandError, match=rf"Entry {forged}: today's rules answer differently"):
        call_command("replay_verdict", "999999", str(forged), str(entry.id), stdout=said)
    assert "Judged again: the same answer." in said.getvalue()
    other = audit.record(action="x", actor="x", subject="x", data={}, now=NOW)
    with pytest.raises(CommandError, match="no verdict"):
        call_command("replay_verdict", str(other), stdout=StringIO())
    with pytest.raises(CommandError):
        call_command("replay_verdict", "999999", stdout=StringIO())


def test_a_refusal_is_kept_where_the_caller_does_not_roll_back() -> None:
    add(NOW + HOUR)
    with pytest.raises(services.Refused):
        grant()
    assert len(audit.entries(action="verdict", subject="run 12")) == 1
    assert not Permit.objects.exists()


def test_whoever_presses_stop_is_in_the_audit_with_the_reason() -> None:
    permit = grant()
    services.revoke(permit_id=permit.id, by="mara", why="the band plays", now=NOW)
    [entry] = audit.entries(action="revoke")
    assert (entry.actor, entry.data) == ("mara", {"why": "the band plays"})


def test_active_weddings_come_with_their_coordinators() -> None:
    party = add(NOW - HOUR)
    add(NOW + 2 * DAY)
    mara = Coordinator.objects.create(name="Mara", phone="+44 20 7946 0000")
    coordinating.set_people(people={party.pk: [mara]}, by="jo", now=NOW)

    [active] = services.active_weddings(now=NOW)
    assert (active.title, [person.phone for person in active.coordinators]) == (
        COUPLE,
        ["+44 20 7946 0000"],
    )
    assert active.protected.start == NOW - 3 * HOUR


def test_all_windows_and_the_heat_map_agree_with_the_judge() -> None:
    add(NOW + 3 * HOUR)
    services.place_hold(
        reason="x", starts_at=NOW + 20 * HOUR, ends_at=NOW + 21 * HOUR, by="mara", now=NOW
    )
    start, end = NOW - NOW.hour * HOUR, NOW + 6 * DAY
    found = services.windows(start=start, end=end, duration=HOUR, now=NOW)
    heat = services.heat_map(start=start, end=end, now=NOW)

    for n, share in enumerate(heat):
        begins = start + n * HOUR
        free = [services.check(start=begins + m * MINUTE, duration=0 * MINUTE, now=NOW).safe
                for m in (0, 10, 30, 50)]  # fmt: skip
        assert share == 1 if all(free) and share > 0.9 else share < 1
        assert not (share == 0 and any(free))
    for window in found:
        whole = window.end - window.start
        assert services.check(start=window.start, duration=whole, now=NOW).safe
        one_more = services.check(start=window.start, duration=whole + MINUTE, now=NOW)
        assert window.end == end or not one_more.safe
    assert len(found) == 4  # before the wedding, after it, after the hold, after Saturday
