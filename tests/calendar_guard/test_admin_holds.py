"""A coordinator says "do not test" in a few seconds, and takes it back with one button."""

from datetime import timedelta

import pytest
from django.test import Client

from audit import services as audit
from calendar_guard import declaring, services
from calendar_guard.models import Hold, Revision
from tests.calendar_guard.admin_words import HOLDS, NOW
from tests.calendar_guard.conftest import browser_of
from tests.calendar_guard.examples import DAY, HOUR, MINUTE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ADD = f"{HOLDS}add/"


def form(starts: str = "10:00", ends: str = "12:00", **changes: str) -> dict[str, str]:
    day = {"starts_at_0": "2026-06-10", "ends_at_0": "2026-06-10"}
    times = {"starts_at_1": starts, "ends_at_1": ends}
    return {"reason": "The fireworks are tried out"} | day | times | changes


def place(starts: timedelta = 0 * HOUR, lasts: timedelta = 2 * HOUR) -> int:
    begins = NOW + starts
    hold_id, _ = declaring.place_hold(
        reason="Rain", starts_at=begins, ends_at=begins + lasts, by="mara", now=min(NOW, begins)
    )
    return hold_id


def test_a_hold_is_offered_from_now_for_two_hours_at_the_home_clock(mara: Client) -> None:
    page = mara.get(ADD).content.decode()

    assert 'type="time" name="starts_at_1" value="10:00"' in page  # London's summer time
    assert 'type="time" name="ends_at_1" value="12:00"' in page
    assert 'type="date" name="starts_at_0" value="2026-06-10"' in page
    assert "Times are those of London." in page
    assert "DateTimeShortcuts" not in page


def test_a_hold_stops_launches_at_once_and_says_until_when(mara: Client) -> None:
    page = mara.post(ADD, form(), follow=True).content.decode()

    hold = Hold.objects.get()
    assert (hold.starts_at, hold.ends_at) == (NOW, NOW + 2 * HOUR)
    assert (hold.created_by, hold.created_at) == ("mara", NOW)
    said = "No load test may run from Wed 10 Jun 2026, 10:00 London (09:00 UTC) until"
    assert said in page
    assert not services.check(start=NOW, duration=MINUTE, now=NOW).safe
    assert audit.entries(subject=f"hold {hold.pk}")[0].actor == "mara"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends_at_1": "09:30", "starts_at_1": "09:40"}, "would end before it starts"),
        ({"starts_at_1": "08:00", "ends_at_1": "09:30"}, "lies wholly in the past"),
        ({"ends_at_0": "2026-08-10"}, "A hold lasts 31 days at most"),
        ({"reason": " "}, "required"),
        ({"ends_at_0": "9999-12-31"}, "Write a year between"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused_in_words(
    mara: Client, changes: dict[str, str], sentence: str
) -> None:
    assert sentence in mara.post(ADD, form(**changes)).content.decode()
    assert not Hold.objects.exists()


def test_a_hold_begins_at_no_time_that_the_clocks_leave_out(mara: Client) -> None:
    gap = {"starts_at_0": "2027-03-28", "starts_at_1": "01:30", "ends_at_0": "2027-03-28"}
    page = mara.post(ADD, form(**gap)).content.decode()

    assert "01:30 does not exist in London on Sun 28 Mar 2027" in page
    assert not Hold.objects.exists()


def test_a_hold_that_nobody_touched_keeps_its_instants(mara: Client) -> None:
    hold = Hold.objects.get(pk=place(30 * timedelta(seconds=1)))
    assert mara.post(f"{HOLDS}{hold.pk}/change/", form(reason="Hail")).status_code == 302

    hold.refresh_from_db()
    assert (hold.reason, hold.starts_at) == ("Hail", NOW + timedelta(seconds=30))
    assert (hold.created_by, hold.created_at) == ("mara", NOW)


def test_the_list_says_which_hold_is_in_force(mara: Client) -> None:
    place()
    place(DAY)
    place(-DAY)
    declaring.lift_hold(hold_id=place(2 * DAY), by="grace", now=NOW)
    page = mara.get(HOLDS).content.decode()
    for state in ("in force", "to come", "over", "lifted by grace"):
        assert f'<td class="field-state">{state}</td>' in page

    standing = mara.get(HOLDS, {"state": "standing"}).content.decode()
    assert standing.count('class="field-state"') == 2
    past = mara.get(HOLDS, {"state": "past"}).content.decode()
    assert past.count('class="field-state"') == 2


def test_a_hold_is_lifted_by_its_button_and_then_only_read(mara: Client) -> None:
    hold = place()
    page = f"{HOLDS}{hold}/"
    assert "Lift now</button>" in mara.get(f"{page}change/").content.decode()
    said = mara.post(f"{page}lift/", follow=True).content.decode()

    assert "1 hold is lifted." in said
    assert services.check(start=NOW, duration=MINUTE, now=NOW).safe
    shown = mara.get(f"{page}change/").content.decode()
    assert "Lift now</button>" not in shown
    assert "lifted by mara" in shown
    assert mara.post(f"{page}change/", form()).status_code == 403
    assert "0 holds are lifted." in mara.post(f"{page}lift/", follow=True).content.decode()


def test_holds_are_lifted_from_the_list_and_never_deleted(mara: Client) -> None:
    hold = place()
    mara.post(HOLDS, {"action": "lift", "_selected_action": [hold]})

    assert Hold.objects.get().lifted_by == "mara"
    assert mara.post(f"{HOLDS}{hold}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in mara.get(HOLDS).content.decode()


def test_many_holds_are_lifted_by_one_write(mara: Client) -> None:
    first, second = place(), place(DAY)
    place(-DAY)
    before = Revision.objects.get().number
    chosen = Hold.objects.values_list("pk", flat=True)
    said = mara.post(HOLDS, {"action": "lift", "_selected_action": chosen}, follow=True)

    assert "2 holds are lifted." in said.content.decode()
    assert Revision.objects.get().number == before + 1
    [entry, *_] = audit.entries(subject="holds")
    assert entry.data == {"lifted": [first, second], "stopped": []}


def test_a_hold_that_was_placed_is_told_once(mara: Client) -> None:
    page = mara.post(ADD, form(), follow=True).content.decode()

    assert "No load test may run from" in page
    assert page.count('<li class="info">') == 1
    assert "successfully" not in page


def test_an_engineer_sees_holds_and_changes_none() -> None:
    hold, engineer = place(), browser_of("grace", "engineer")

    assert engineer.get(HOLDS).status_code == 200
    assert "Lift now</button>" not in engineer.get(f"{HOLDS}{hold}/change/").content.decode()
    assert engineer.post(f"{HOLDS}{hold}/lift/").status_code == 403
    assert engineer.post(ADD, form()).status_code == 403
    assert engineer.get(f"{HOLDS}{hold}/lift/").status_code == 405
