"""Feeds, read and accepted by coordinators, whose addresses nobody sees again; and their word."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import Settings

from audit import services as audit
from calendar_guard import services
from calendar_guard.models import Attestation, Feed, Wedding
from tests.calendar_guard.admin_words import FEEDS, LIST, NOW
from tests.calendar_guard.conftest import browser_of
from tests.calendar_guard.examples import DAY, HOUR, MINUTE
from tests.calendar_guard.running import grant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

ATTEST = "/admin/calendar_guard/attestation/add/"
Write = Callable[[int], str]


def address_of(path: Path) -> str:
    return f"file://{path}"


def typed(address: str, **changes: str) -> dict[str, str]:
    words = {"name": "Old Mill", "address": address, "zone": "Europe/London", "is_active": "on"}
    return words | changes


@pytest.fixture
def write(tmp_path: Path, settings: Settings) -> Write:
    """Writes the venue's calendar with so many weddings ahead, and gives its address."""
    settings.WEDSYNC_FEED_FOLDERS = [str(tmp_path)]
    path = tmp_path / "weddings.ics"

    def to(count: int) -> str:
        events = "".join(
            f"BEGIN:VEVENT\r\nUID:{n}@mill\r\nSUMMARY:Couple {n}\r\n"
            f"DTSTART:202607{n + 1:02}T120000\r\nDTEND:202607{n + 1:02}T200000\r\nEND:VEVENT\r\n"
            for n in range(count)
        )
        path.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
        return address_of(path)

    return to


def press(browser: Client, verb: str) -> str:
    page = f"{FEEDS}{Feed.objects.get().pk}/{verb}/"
    return browser.post(page, follow=True).content.decode()


def change(browser: Client, **words: str) -> str:
    page = f"{FEEDS}{Feed.objects.get().pk}/change/"
    return browser.post(page, typed(**({"address": ""} | words)), follow=True).content.decode()


def state(browser: Client) -> str:
    page = browser.get(FEEDS).content.decode()
    return page.partition('<td class="field-state">')[2].partition("</td>")[0]


def test_a_reading_says_how_many_tests_it_stopped_whether_they_run_or_wait(
    mara: Client, write: Write
) -> None:
    grant(datetime(2026, 7, 1, 13, tzinfo=UTC))
    mara.post(f"{FEEDS}add/", typed(write(3)))
    said = "3 weddings saved, 0 removed; that stopped 1 test, running or scheduled."
    assert said in press(mara, "read")


def test_a_feed_is_added_and_read_by_its_button(mara: Client, write: Write) -> None:
    mara.post(f"{FEEDS}add/", typed(write(3)))
    feed = Feed.objects.get()
    assert (feed.created_at, feed.due_at) == (NOW, NOW)
    assert state(mara) == "never read"
    assert not services.check(start=NOW, duration=MINUTE, now=NOW).safe

    assert "Old Mill: 3 weddings saved, 0 removed." in press(mara, "read")
    assert state(mara) == "fresh"
    assert services.check(start=NOW, duration=MINUTE, now=NOW).safe
    assert "Old Mill was read; nothing has changed." in press(mara, "read")
    assert audit.entries(subject=f"feed {feed.pk}")[0].actor == "mara"


def test_a_feed_may_be_read_from_the_list(mara: Client, write: Write) -> None:
    mara.post(f"{FEEDS}add/", typed(write(3)))
    chosen = {"action": "read_now", "_selected_action": [Feed.objects.get().pk]}

    assert "3 weddings saved" in mara.post(FEEDS, chosen, follow=True).content.decode()


def test_a_feed_that_shrank_is_broken_until_a_coordinator_accepts_it(
    mara: Client, write: Write
) -> None:
    mara.post(f"{FEEDS}add/", typed(write(8)))
    press(mara, "read")
    write(2)
    page = press(mara, "read")
    assert "It has shrunk from 8 events ahead to 2." in page
    assert "Accept the smaller calendar</button>" in page
    assert state(mara) == "broken"
    assert Wedding.objects.count() == 8

    page = press(mara, "accept")
    assert "Old Mill: 0 weddings saved, 6 removed." in page
    assert "Accept the smaller calendar</button>" not in page
    assert state(mara) == "fresh"
    subject = f"feed {Feed.objects.get().pk}"
    accepted = [one for one in audit.entries(subject=subject) if "accepted" in one.data]
    assert [one.actor for one in accepted] == ["mara"]
    assert "There is nothing to accept" in press(mara, "accept")


def test_in_another_zone_a_feed_is_not_known_until_it_is_read(mara: Client, write: Write) -> None:
    mara.post(f"{FEEDS}add/", typed(write(3)))
    press(mara, "read")
    change(mara, zone="Pacific/Pago_Pago")
    assert state(mara) == "never read"
    assert not services.check(start=NOW, duration=MINUTE, now=NOW).safe
    press(mara, "read")
    assert state(mara) == "fresh"
    change(mara, name="Old Mill and Barn", zone="Pacific/Pago_Pago")
    assert state(mara) == "fresh"


def test_an_address_is_never_shown_again(mara: Client) -> None:
    secret = "https://hunter2@calendar.example/private-4711/weddings.ics?key=s3cret"
    mara.post(f"{FEEDS}add/", typed(secret))
    pages = [
        mara.get(FEEDS).content.decode(),
        mara.get(f"{FEEDS}{Feed.objects.get().pk}/change/").content.decode(),
        change(mara, name="New Mill"),
        str(audit.entries()),
    ]

    assert "https://calendar.example/…" in pages[1]
    shown = [part for part in ("hunter2", "4711", "s3cret") for page in pages if part in page]
    assert shown == []
    assert (Feed.objects.get().name, Feed.objects.get().url) == ("New Mill", secret)


def test_another_address_is_another_calendar_that_nobody_has_read(
    mara: Client, write: Write
) -> None:
    mara.post(f"{FEEDS}add/", typed(write(3)))
    press(mara, "read")
    change(mara, address="https://calendar.example/other.ics")

    assert state(mara) == "never read"
    assert Feed.objects.get().etag == ""


@pytest.mark.parametrize("address", ["gopher://a.example/x", "calendar.ics", "https://", "file:/"])
def test_an_address_that_cannot_be_one_is_refused_in_words(mara: Client, address: str) -> None:
    page = mara.post(f"{FEEDS}add/", typed(address)).content.decode()

    assert "Write the whole address, such as https://" in page
    assert not Feed.objects.exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://10.0.0.7/a.ics", "10.0.0.7 is a private address, which may not be called."),
        ("webcal://[::1]/a.ics", "its network belongs into WEDSYNC_FEED_NETWORKS"),
        ("file:///etc/passwd", "in none of the folders that WEDSYNC_FEED_FOLDERS lists"),
        ("file://elsewhere/a.ics", "A file address names no host"),
    ],
)
def test_an_address_that_may_never_be_read_is_refused_before_it_blocks_a_launch(
    mara: Client, write: Write, address: str, words: str
) -> None:
    assert words in mara.post(f"{FEEDS}add/", typed(address)).content.decode()
    assert not Feed.objects.exists()

    mara.post(f"{FEEDS}add/", typed(write(1)))
    assert words in change(mara, address=address)
    assert Feed.objects.get().url == write(1)


@pytest.mark.parametrize(
    ("address", "said"),
    [("weddings.ics", "Old Mill: 3 weddings saved"), ("wedings.ics", "The file is not there")],
)
def test_a_feed_is_read_when_it_is_saved_and_what_came_of_it_is_said(
    mara: Client, write: Write, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    # A test is one transaction, so it never comes to its end within the request.
    monkeypatch.setattr(transaction, "on_commit", lambda work: work())
    form = typed(write(3).replace("weddings.ics", address))
    page = mara.post(f"{FEEDS}add/", form, follow=True).content.decode()

    assert said in page
    assert "successfully" not in page
    assert state(mara) == ("fresh" if "saved" in said else "never read")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://user:hunter2@calendar.example/a.ics", "write it as $WEDSYNC_FEED_"),
        ("https://$WEDSYNC_FEED_A/a.ics", "not in its scheme or host"),
    ],
)
def test_a_secret_is_written_by_its_name_where_one_can_stand(
    mara: Client, address: str, words: str
) -> None:
    page = mara.post(f"{FEEDS}add/", typed(address)).content.decode()
    assert words in page
    assert not Feed.objects.exists()

    mara.post(f"{FEEDS}add/", typed("https://user:$WEDSYNC_FEED_A@calendar.example/a.ics"))
    assert Feed.objects.exists()


def test_taking_a_feed_out_of_use_or_away_leaves_its_weddings(mara: Client, write: Write) -> None:
    mara.post(f"{FEEDS}add/", typed(write(3)))
    press(mara, "read")
    said = "Its 3 weddings ahead stay in the calendar and protected"
    assert said in change(mara, is_active="")
    assert state(mara) == "fresh, not in use"

    page = f"{FEEDS}{Feed.objects.get().pk}/delete/"
    assert said in mara.get(page).content.decode()
    mara.post(page, {"post": "yes"})
    assert not Feed.objects.exists()
    assert Wedding.objects.count() == 3


def test_a_wedding_says_which_feed_it_follows(mara: Client, write: Write) -> None:
    mara.post(f"{FEEDS}add/", typed(write(1)))
    press(mara, "read")
    page = mara.get(f"{LIST}{Wedding.objects.get().pk}/change/").content.decode()

    assert "Old Mill. Title, venue, zone and times follow that feed" in page


def test_a_coordinators_word_lets_tests_start_again_until_it_runs_out(mara: Client) -> None:
    mara.post(f"{FEEDS}add/", typed("https://calendar.example/a.ics"))
    assert 'value="16:00"' in mara.get(ATTEST).content.decode()
    form = {"until_0": "2026-06-10", "until_1": "18:00", "why": "Asked all three venues"}
    page = mara.post(ATTEST, form, follow=True).content.decode()

    assert "complete until Wed 10 Jun 2026, 18:00 London (17:00 UTC)" in page
    given = Attestation.objects.get()
    assert (given.by, given.at, given.until) == ("mara", NOW, NOW + 8 * HOUR)
    assert services.check(start=NOW, duration=HOUR, now=NOW).safe
    assert not services.check(start=NOW + DAY, duration=HOUR, now=NOW + DAY).safe
    shown = f"/admin/calendar_guard/attestation/{given.pk}/"
    assert "Asked all three venues" in mara.get(f"{shown}change/").content.decode()
    assert mara.post(f"{shown}change/", form).status_code == 403
    assert mara.post(f"{shown}delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"until_0": "2026-06-12"}, "at most 24 hours"),
        ({"until_0": "2026-06-09"}, "not for the past"),
        ({"why": " "}, "required"),
    ],
)
def test_a_word_that_cannot_be_given_is_refused(
    mara: Client, changes: dict[str, str], sentence: str
) -> None:
    form = {"until_0": "2026-06-10", "until_1": "18:00", "why": "I asked"} | changes

    assert sentence in mara.post(ATTEST, form).content.decode()
    assert not Attestation.objects.exists()


def test_only_who_keeps_the_calendar_reads_accepts_and_attests() -> None:
    feed = Feed.objects.create(name="A", url="https://a.example", created_at=NOW, due_at=NOW)
    engineer = browser_of("grace", "engineer")

    assert engineer.get(FEEDS).status_code == 403
    assert engineer.post(f"{FEEDS}{feed.pk}/read/").status_code == 403
    assert engineer.post(f"{FEEDS}{feed.pk}/accept/").status_code == 403
    assert engineer.get(ATTEST).status_code == 403
