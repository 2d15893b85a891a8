"""Whoever saves something that stops running tests is asked first, and nothing is lost by it."""

from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from audit import services as audit
from calendar_guard import services
from calendar_guard.models import Change, Coordinator, Hold, Permit, Revision, Wedding
from tests.calendar_guard.admin_words import (
    ADD,
    HOLDS,
    LIST,
    NOW,
    carried,
    page_of,
    people,
    save,
    seen,
    typed,
)
from tests.calendar_guard.examples import DAY, HOUR, MINUTE
from tests.calendar_guard.running import grant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TODAY = ("2026-06-10 12:00", "2026-06-10 20:00")
FORM = "application/x-www-form-urlencoded"


def say_yes(browser: Client, url: str, question: str) -> str:
    """Press the question's button: post what the page carries, and nothing else."""
    body = urlencode([*carried(question), ("_stops", seen(question))])
    return browser.post(url, body, content_type=FORM, follow=True).content.decode()


def test_a_wedding_over_a_running_test_names_it_and_saves_nothing_yet(mara: Client) -> None:
    permit = grant()
    services.renew(permit_id=permit.id, doing="412/s, p95 80 ms", now=NOW + MINUTE)
    page = mara.post(ADD, typed(*TODAY)).content.decode()

    assert "This stops 1 running test" in page
    assert '<a href="/runs/12/">guest rush</a>' in page
    assert "<td>engineer</td>" in page
    assert "<td>412/s, p95 80 ms</td>" in page
    assert "<td>Wed 10 Jun 2026, 10:00 London (09:00 UTC)</td>" in page
    assert "Save and stop 1 running test</button>" in page
    assert not Wedding.objects.exists()
    assert not any(kept.objects.exists() for kept in (LogEntry, Change, Revision))
    assert audit.entries(action="calendar") == []
    assert Permit.objects.get().revoked_at is None


def test_the_yes_saves_the_whole_form_people_included_and_stops_the_test(mara: Client) -> None:
    grant()
    kim = Coordinator.objects.create(name="Kim")
    notes = 'First line\r\n\r\n"quoted" <b>&amp; more</b>'
    form = typed(*TODAY, notes=notes, guests="80", _continue="Save and continue editing")
    form |= people({"coordinator": kim.pk}, {"name": "Lee", "phone": "+44 1"})
    question = mara.post(ADD, form).content.decode()
    page = say_yes(mara, ADD, question)

    wedding = Wedding.objects.get()
    assert (wedding.notes, wedding.guests) == (notes.replace("\r\n", "\n"), 80)
    assert [one.name for one in wedding.coordinators.all()] == ["Kim", "Lee"]
    assert 'Stopped 1 running test: <a href="/runs/12/">“guest rush”</a>.' in page
    assert "Change wedding" in page  # the button that was pressed is remembered
    permit = Permit.objects.get()
    assert permit.revoked_at == NOW
    entry = next(one for one in audit.entries(subject="weddings") if one.data["stopped"])
    assert (entry.actor, entry.data["stopped"]) == ("mara", [permit.pk])


def test_tests_that_began_while_the_question_was_read_are_stopped_and_named(mara: Client) -> None:
    grant()
    question = mara.post(ADD, typed(*TODAY)).content.decode()
    grant(label="late one", run="13")
    page = say_yes(mara, ADD, question)

    assert "Stopped 2 running tests" in page
    began = page.partition("Begun or scheduled after you were asked, and stopped as well:")[2]
    assert "late one" in began.partition("</li>")[0]
    assert "guest rush" not in began.partition("</li>")[0]
    assert not Permit.objects.filter(revoked_at=None).exists()


def test_back_shows_the_form_as_it_was_typed(mara: Client) -> None:
    grant()
    form = typed(*TODAY, title="Half typed") | people({"name": "Lee"})
    question = mara.post(ADD, form).content.decode()
    body = urlencode([*carried(question), ("_back", "1")])
    page = mara.post(ADD, body, content_type=FORM).content.decode()

    assert 'value="Half typed"' in page
    assert 'value="Lee"' in page
    assert 'class="errornote"' not in page
    assert not Wedding.objects.exists()


def test_a_save_that_stops_nothing_is_not_asked_about(mara: Client) -> None:
    grant()
    page = mara.post(ADD, typed("2026-06-11 12:00", "2026-06-11 20:00"), follow=True)

    assert "“Ada &amp; Grace” is from Thu 11 Jun 2026, 12:00 Berlin" in page.content.decode()
    assert Permit.objects.get().revoked_at is None


def test_a_venue_whose_saturday_has_begun_already_is_asked_about(mara: Client) -> None:
    friday = NOW + 2 * DAY  # 10:00 in London, 23:00 on Friday at the far end of the world
    grant(start=friday, duration=4 * HOUR)
    form = typed("2026-06-20 12:00", "2026-06-20 20:00", "Pacific/Kiritimati")
    page = mara.post(ADD, form).content.decode()

    assert "This stops 1 scheduled test" in page
    assert "scheduled for Fri 12 Jun 2026, 10:00 London" in page


def test_moving_a_wedding_onto_a_test_asks_and_shortening_or_deleting_it_does_not(
    mara: Client,
) -> None:
    wedding = save(starts_at=NOW + DAY, ends_at=NOW + DAY + HOUR)
    grant()
    assert "This stops" in mara.post(page_of(wedding), typed(*TODAY)).content.decode()
    wedding.refresh_from_db()
    assert wedding.starts_at == NOW + DAY

    shorter = typed("2026-06-11 11:00", "2026-06-11 11:30")
    assert mara.post(page_of(wedding), shorter).status_code == 302
    assert mara.post(f"{LIST}{wedding.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Wedding.objects.exists()
    assert Permit.objects.get().revoked_at is None


def test_still_going_asks_before_it_stops_a_test_and_goes_back_to_the_page(mara: Client) -> None:
    wedding = save(starts_at=NOW - 9 * HOUR, ends_at=NOW - 3 * HOUR)
    grant()
    url = f"{LIST}{wedding.pk}/still-going/"
    question = mara.post(url).content.decode()
    assert f'<a class="button back" href="{page_of(wedding)}">Back</a>' in question
    wedding.refresh_from_db()
    assert wedding.status == "confirmed"

    page = say_yes(mara, url, question)
    wedding.refresh_from_db()
    assert wedding.status == "live"
    assert "Stopped 1 running test" in page


def test_still_going_from_the_list_asks_once_for_all_that_were_chosen(mara: Client) -> None:
    some = [save(starts_at=NOW - 9 * HOUR, ends_at=NOW - 3 * HOUR) for _ in range(2)]
    grant()
    chosen = [("_selected_action", str(one.pk)) for one in some]
    body = urlencode([("action", "still_going"), ("index", "0"), *chosen])
    question = mara.post(LIST, body, content_type=FORM).content.decode()
    assert "This stops 1 running test" in question

    say_yes(mara, LIST, question)
    assert set(Wedding.objects.values_list("status", flat=True)) == {"live"}
    assert Permit.objects.get().revoked_at == NOW


def test_completing_what_was_over_long_ago_stops_nothing_and_asks_nothing(mara: Client) -> None:
    pressed, typed_in = (save(starts_at=NOW - 9 * DAY, ends_at=NOW - 8 * DAY) for _ in range(2))
    grant()
    mara.post(f"{LIST}{pressed.pk}/completed-now/")
    form = typed("2026-06-01 12:00", "2026-06-01 20:00", status="completed")
    assert mara.post(page_of(typed_in), form).status_code == 302

    assert set(Wedding.objects.values_list("status", flat=True)) == {"completed"}
    assert Permit.objects.get().revoked_at is None


def test_a_hold_asks_and_then_stops(mara: Client) -> None:
    grant()
    form = {
        "reason": "Rehearsal of the fireworks",
        "starts_at_0": "2026-06-10",
        "starts_at_1": "10:00",
        "ends_at_0": "2026-06-10",
        "ends_at_1": "12:00",
    }
    question = mara.post(f"{HOLDS}add/", form).content.decode()
    assert "Save and stop 1 running test" in question
    assert not Hold.objects.exists()

    assert "Stopped 1 running test" in say_yes(mara, f"{HOLDS}add/", question)
    assert (Hold.objects.get().created_by, Permit.objects.get().revoked_at) == ("mara", NOW)
