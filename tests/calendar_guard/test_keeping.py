"""Weddings in words: what is read, what is refused, and what putting them again leaves alone."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calendar_guard import writing
from calendar_guard.models import Change, Coordinator, Permit, Revision, Wedding
from calendar_guard.weddings import keeping
from calendar_guard.weddings.drafts import Written, WrongWeddings
from calendar_guard.weddings.facts import (
    READ_ONLY,
    WORDS,
    WrongWords,
    read_wedding,
    write_wedding,
)
from calendar_guard.weddings.people_words import CoordinatorFacts
from tests.calendar_guard.examples import BERLIN, HOUR, LONDON, at

NOW = at("2026-06-10 10:00", LONDON)
PARTY = {
    "title": "Ada & Grace",
    "zone": BERLIN,
    "starts_at": "2026-06-20T14:00:00",
    "ends_at": "2026-06-20T23:00:00",
}
GOES_ON = "It is live, so neither it nor its set-up moves ahead; complete it when over."
TODAY = {"starts_at": "2026-06-10T10:00:00", "ends_at": "2026-06-10T20:00:00"}
MARA = {"name": "Mara Lind", "email": "mara@venue.example", "phone": "+44 20 7946 0000"}


def put(*weddings: dict[str, Any]) -> Written:
    facts = [read_wedding(PARTY | words) for words in weddings]
    return keeping.put_weddings(facts=facts, by="mara", now=NOW, may_change_people=True)


def kept(result: Written) -> Wedding:
    return Wedding.objects.get(pk=result.ids[0])


def refusals(words: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(WrongWords) as refusal:
        read_wedding(words)
    return refusal.value.errors


def test_a_wedding_needs_no_more_than_a_title_a_zone_and_its_local_times() -> None:
    facts = read_wedding(PARTY)

    assert facts.starts_at == datetime.fromisoformat("2026-06-20T14:00")
    assert (facts.setup, facts.teardown, facts.status) == (2 * HOUR, HOUR, "confirmed")
    assert facts.given == set(PARTY)


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {"title": " ", "zone": "Europe/Berlni", "starts_at": "noon", "seats": 4, "guests": "4"}
    said = refusals(wrong)

    assert said["title"] == "This cannot be empty."
    assert "did you mean Europe/Berlin?" in said["zone"]
    assert "noon is not a local time" in said["starts_at"]
    assert said["ends_at"] == "A wedding needs this word."
    assert "no such word; known are title" in said["seats"]
    assert "whole number" in said["guests"]


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ({"starts_at": "2026-06-20T13:00:00+01:00"}, "starts_at", "shows: 2026-06-20T14:00:00."),
        ({"starts_at": "2026-06-20T12:00Z"}, "starts_at", "shows: 2026-06-20T14:00:00."),
        ({"starts_at": "2026-06-20"}, "starts_at", "without an offset: 2026"),
        ({"starts_at": "2026-02-30T12:00"}, "starts_at", "is on no calendar"),
        ({"starts_at": "0001-01-01T00:00"}, "starts_at", "between 2001 and 2198"),
        ({"ends_at": "9999-12-31T23:59"}, "ends_at", "between 2001 and 2198"),
        ({"ends_at": "2026-06-20T14:00"}, "ends_at", "end before it starts"),
        ({"ends_at": "2026-06-28T14:00"}, "ends_at", "lasts 8 days"),
        ({"setup": "-PT1H"}, "setup", "not an ISO 8601 duration"),
        ({"setup": "P8D"}, "setup", "longer than 7 days"),
        ({"setup": "P" + "9" * 60 + "D"}, "setup", "longer than"),
        ({"setup": 7200}, "setup", "This is text"),
        ({"guests": True}, "guests", "whole number"),
        ({"guests": 10**30}, "guests", "whole number"),
        ({"status": "postponed"}, "status", "known are tentative, confirmed"),
        ({"status": ["live"]}, "status", "is no status"),
        ({"title": "a\x00b"}, "title", "zero byte"),
        ({"title": "a\ud800b"}, "title", "no text can hold"),
        ({"title": "a\nb"}, "title", "no text can hold"),
        ({"title": "a" * 201}, "title", "At most 200 characters, please; these are 201"),
        ({"notes": "a" * 10_001}, "notes", "At most 10,000"),
        ({"coordinators": "mara"}, "coordinators", "a list of at most 20"),
        ({"coordinators": [7]}, "coordinators", "Coordinator 1: give an e-mail"),
        ({"coordinators": [{"name": ""}]}, "coordinators", "neither a name nor"),
        ({"coordinators": ["a@b"]}, "coordinators", "Coordinator 1: a@b is not an e-mail"),
        ({"coordinators": [MARA, MARA | {"fax": ""}]}, "coordinators", "Coordinator 2: no word"),
    ],
)
def test_a_wrong_word_is_refused_in_words(words: dict[str, Any], field: str, said: str) -> None:
    errors = refusals(PARTY | words)
    assert list(errors) == [field]
    assert said in errors[field]


@settings.get_profile("usual")
@given(st.dictionaries(st.sampled_from([*WORDS, *READ_ONLY, "x"]), st.text() | st.integers()))
def test_whatever_comes_is_a_wedding_or_a_sentence_that_can_be_sent(words: dict[str, Any]) -> None:
    try:
        facts = read_wedding(PARTY | words)
    except WrongWords as wrong:
        "".join([*wrong.errors, *wrong.errors.values()]).encode()
    else:
        assert read_wedding(write_wedding(facts)) == facts


@pytest.mark.parametrize(
    ("zone", "starts", "ends", "instants"),
    [
        # In the night that has an hour twice, the longer reading is protected; so is a gap.
        (LONDON, "2026-10-25T01:30", "2026-10-25T01:45", ("00:30", "01:45")),
        (LONDON, "2026-03-29T01:30", "2026-03-29T03:00", ("00:30", "02:00")),
    ],
)
@pytest.mark.django_db
def test_both_dst_nights_are_read_the_protecting_way(
    zone: str, starts: str, ends: str, instants: tuple[str, str]
) -> None:
    row = kept(put({"zone": zone, "starts_at": starts, "ends_at": ends}))
    assert (f"{row.starts_at:%H:%M}", f"{row.ends_at:%H:%M}") == instants


def test_a_week_is_a_week_by_the_wall_also_in_autumn() -> None:
    week = {"zone": LONDON, "starts_at": "2026-10-19T14:00", "ends_at": "2026-10-26T14:00"}
    assert read_wedding(PARTY | week)
    assert "lasts 8 days" in refusals(PARTY | week | {"ends_at": "2026-10-26T14:01"})["ends_at"]


@pytest.mark.django_db
def test_putting_a_uid_again_changes_only_what_was_said() -> None:
    first = put({"source": "crm", "uid": "7", "notes": "Cake at five", "guests": 80})
    again = put({"source": "crm", "uid": "7", "guests": 90})

    assert (first.new, again.new, again.changed, first.ids) == (1, 0, 1, again.ids)
    row = kept(again)
    assert (row.guests, row.notes) == (90, "Cake at five")
    assert list(row.changes.values_list("field", flat=True)) == ["guests", "wedding"]


@pytest.mark.django_db
def test_putting_the_same_again_writes_nothing() -> None:
    words = {"source": "crm", "uid": "7", "coordinators": [MARA]}
    put(words)
    number = Revision.objects.get().number
    assert put(words).unchanged == 1
    assert Revision.objects.get().number == number


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["confirmed", "completed", "cancelled"])
def test_an_import_ends_no_wedding_that_goes_on(status: str) -> None:
    words = TODAY | {"source": "crm", "uid": "7"}
    result = put(words)
    keeping.still_going(wedding_id=result.ids[0], by="mara", now=NOW)

    assert put(words | {"status": status}).unchanged == 1
    assert kept(result).status == "live"


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["confirmed", "tentative", "completed", "cancelled"])
@pytest.mark.parametrize("whole", [True, False])
def test_whoever_read_a_wedding_before_it_went_on_does_not_end_it(status: str, whole: bool) -> None:
    [pk] = put(TODAY).ids
    keeping.still_going(wedding_id=pk, by="mara", now=NOW)

    def change(**words: str) -> Written:
        sent = PARTY | TODAY | words
        return keeping.change_wedding(wedding_id=pk, words=sent, whole=whole, by="jo", now=NOW)

    with pytest.raises(keeping.NotNow, match="under way; press complete when it is over"):
        change(status=status, title="Ada")
    assert change(title="Grace").changed == 1
    assert change(title="Ada", status="live").changed == 1
    assert Wedding.objects.get().status == "live"


@pytest.mark.django_db
def test_a_wedding_that_has_not_begun_is_not_completed_by_a_list() -> None:
    with pytest.raises(WrongWeddings) as refusal:
        put({}, {"status": "completed"})
    assert "has not begun" in refusal.value.errors[1]["status"]
    assert list(refusal.value.errors) == [1]
    assert not Wedding.objects.exists()


@pytest.mark.django_db
def test_a_completed_wedding_that_is_moved_ahead_does_not_stay_completed() -> None:
    [pk] = put(TODAY | {"status": "completed"}).ids
    words = {name: PARTY[name] for name in TODAY}
    with pytest.raises(WrongWords) as refusal:
        keeping.change_wedding(wedding_id=pk, words=words, whole=False, by="mara", now=NOW)
    assert list(refusal.value.errors) == ["status"]
    words["status"] = "confirmed"
    keeping.change_wedding(wedding_id=pk, words=words, whole=False, by="mara", now=NOW)


@pytest.mark.django_db
def test_no_list_calls_a_wedding_live_before_its_set_up() -> None:
    [pk] = put({"uid": "7"}).ids
    with pytest.raises(WrongWeddings) as refusal:
        put({}, {"status": "live"}, {"uid": "7", "status": "live"})
    assert list(refusal.value.errors) == [1, 2]
    assert "set-up has not begun" in refusal.value.errors[1]["status"]
    assert Wedding.objects.get(pk=pk).status == "confirmed"
    assert kept(put(TODAY | {"status": "live"})).status == "live"


@pytest.mark.django_db
def test_a_wedding_that_goes_on_is_not_moved_ahead() -> None:
    [pk] = put(TODAY | {"uid": "7", "status": "live"}).ids
    words = {name: PARTY[name] for name in TODAY}
    with pytest.raises(WrongWords) as changed:
        keeping.change_wedding(wedding_id=pk, words=words, whole=False, by="mara", now=NOW)
    with pytest.raises(WrongWeddings) as imported:
        put({"uid": "7", "status": "confirmed"})
    said = {"status": GOES_ON}
    assert (changed.value.errors, imported.value.errors[0]) == (said, said)


@pytest.mark.django_db
def test_a_wedding_that_goes_on_keeps_its_set_up() -> None:
    times = {"starts_at": "2026-06-13T10:00:00", "ends_at": "2026-06-13T20:00:00"}
    [pk] = put(times | {"uid": "7", "status": "live", "setup": "P4D"}).ids
    words = {"setup": "PT0S"}
    with pytest.raises(WrongWords) as changed:
        keeping.change_wedding(wedding_id=pk, words=words, whole=False, by="mara", now=NOW)
    assert changed.value.errors == {"status": GOES_ON}


@pytest.mark.django_db
@pytest.mark.parametrize("imported", [True, False])
def test_what_is_live_though_it_is_far_from_begun_may_be_called_confirmed(imported: bool) -> None:
    [pk] = put({"uid": "7"}).ids
    Wedding.objects.update(status="live")
    ahead = {"starts_at": "2026-06-20T15:00:00"}
    with pytest.raises(WrongWords, match="call it confirmed"):
        keeping.change_wedding(wedding_id=pk, words=ahead, whole=False, by="mara", now=NOW)
    words = {"status": "confirmed"}
    if imported:
        put(words | {"uid": "7"})
    else:
        keeping.change_wedding(wedding_id=pk, words=words, whole=False, by="mara", now=NOW)
    assert Wedding.objects.get().status == "confirmed"


@pytest.mark.django_db
def test_a_title_written_before_new_zone_data_is_followed_leaves_the_local_times() -> None:
    [pk] = put({}).ids
    hour_off = at("2026-06-20 15:00", BERLIN)
    Wedding.objects.update(starts_at=hour_off, zone_data="2020a")
    words = {"title": "Ada"}
    keeping.change_wedding(wedding_id=pk, words=words, whole=False, by="mara", now=NOW)
    row = Wedding.objects.get()
    assert (row.wall_start, row.starts_at) == (PARTY["starts_at"], hour_off - HOUR)


@pytest.mark.django_db
def test_one_wrong_wedding_keeps_all_of_them_out() -> None:
    with pytest.raises(WrongWeddings) as refusal:
        put({}, {"coordinators": ["Nobody"]}, {"source": "feed 3", "uid": "a"})

    assert "Nobody here is called Nobody" in refusal.value.errors[1]["coordinators"]
    assert "calendars that are read" in refusal.value.errors[2]["source"]
    assert not Wedding.objects.exists()


@pytest.mark.django_db
def test_one_uid_twice_in_a_list_is_refused() -> None:
    with pytest.raises(WrongWeddings) as refusal:
        put({"uid": "7"}, {"uid": "7"}, {})
    assert list(refusal.value.errors) == [0, 1]


@pytest.mark.django_db
def test_coordinators_are_found_by_mail_else_by_name_else_made() -> None:
    jo = Coordinator.objects.create(name="Jo Field", language="de")
    result = put({"coordinators": [MARA, "Jo Field"]}, {"coordinators": ["MARA@venue.example"]})

    assert Coordinator.objects.count() == 2
    mara = Coordinator.objects.get(email=MARA["email"])
    assert list(kept(result).coordinators.all()) == [jo, mara]
    assert list(Wedding.objects.get(pk=result.ids[1]).coordinators.all()) == [mara]


@pytest.mark.django_db
def test_what_is_said_of_a_coordinator_changes_them_and_the_rest_stays() -> None:
    put({"uid": "1", "coordinators": [MARA]})
    again = put({"uid": "1", "coordinators": [{"email": MARA["email"], "slack_id": "U1"}]})

    mara = Coordinator.objects.get()
    assert (mara.name, mara.phone, mara.slack_id) == (MARA["name"], MARA["phone"], "U1")
    assert again.changed == 1


@pytest.mark.django_db
def test_a_name_that_two_people_have_needs_the_mail() -> None:
    for number in range(2):
        Coordinator.objects.create(name="Jo Field", email=f"jo{number}@venue.example")
    with pytest.raises(WrongWeddings) as refusal:
        put({"coordinators": ["Jo Field"]})
    assert "Several people" in refusal.value.errors[0]["coordinators"]


@pytest.mark.django_db
def test_a_preview_says_what_would_be_done_and_leaves_no_trace() -> None:
    put({"uid": "1"})
    changes = Change.objects.count()
    facts = [
        read_wedding(PARTY | words)
        for words in ({"uid": "1"}, {"uid": "2", "coordinators": [MARA]}, {"uid": "3"})
    ]
    previewed = keeping.preview_of(lambda: keeping.put_weddings(facts=facts, by="mara", now=NOW))

    assert (previewed.new, previewed.changed, previewed.unchanged) == (2, 0, 1)
    assert previewed.ids == ()
    assert Wedding.objects.count() == 1
    assert Change.objects.count() == changes
    assert not Coordinator.objects.exists()
    assert not Permit.objects.exists()


@pytest.mark.django_db
def test_ambiguous_times_that_nobody_touched_keep_their_instants() -> None:
    starts = at("2026-10-25 01:30", LONDON, fold=1)
    row = Wedding(title="a", zone=LONDON, starts_at=starts, ends_at=starts + HOUR)
    writing.write_weddings(save=[row], by="feed 1", now=NOW)
    keeping.change_wedding(wedding_id=row.pk, words={"guests": 4}, whole=False, by="mara", now=NOW)
    assert Wedding.objects.get().starts_at == starts
    words = {"ends_at": "2026-10-25T01:45:00"}
    keeping.change_wedding(wedding_id=row.pk, words=words, whole=False, by="mara", now=NOW)
    assert Wedding.objects.get().starts_at == starts - HOUR


@pytest.mark.django_db
def test_a_thousand_weddings_are_put_in_a_fixed_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    def words(first: int) -> list[dict[str, Any]]:
        return [
            {"uid": str(n), "title": f"Wedding {n + first}", "coordinators": [MARA]}
            for n in range(1000)
        ]

    put(*words(0))
    with django_assert_max_num_queries(400):
        assert put(*words(1)).changed == 1000


def test_a_person_in_words_is_the_same_whether_known_or_described() -> None:
    [named] = read_wedding(PARTY | {"coordinators": ["mara@venue.example"]}).coordinators
    assert named == CoordinatorFacts(email="mara@venue.example")
    assert named.known
