"""Weddings as rows: what spreadsheets do to a file, and what a person reads when it is wrong."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from calendar_guard import coordinating
from calendar_guard.models import Change, Coordinator, Permit, Wedding
from calendar_guard.weddings import csv_words, keeping
from calendar_guard.weddings.csv_words import Unreadable, read_rows, write_rows
from calendar_guard.weddings.drafts import Written
from tests.calendar_guard import running
from tests.calendar_guard.admin_words import typed
from tests.calendar_guard.examples import BERLIN, HOUR, LONDON, at
from tests.calendar_guard.running import grant

NOW = at("2026-06-10 10:00", LONDON)
HEADER = "title,zone,starts_at,ends_at"
ROW = "Ada & Grace,Europe/Berlin,2026-06-12 14:00,2026-06-13T01:00:00"
LIST = "/admin/calendar_guard/wedding/"


def words(**changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "title": "Ada & Grace",
        "venue": "",
        "zone": BERLIN,
        "starts_at": "2026-06-12T14:00:00",
        "ends_at": "2026-06-13T01:00:00",
        "setup": "PT2H",
        "teardown": "PT1H",
        "guests": None,
        "status": "confirmed",
        "coordinators": [],
        "notes": "",
        "source": "",
        "uid": "",
    } | changes


def first(text: str) -> dict[str, Any]:
    rows, problems = read_rows(text)
    assert problems == []
    return rows[0].words


def said(text: str) -> list[tuple[int, str, str]]:
    try:
        _, problems = read_rows(text)
    except Unreadable as error:
        problems = list(error.problems)
    return [(problem.line, problem.column, problem.sentence) for problem in problems]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_read_as_every_spreadsheet_saves_it(mark: str, end: str, delimiter: str) -> None:
    text = mark + "".join(f"{line}{end}" for line in (HEADER, ROW)).replace(",", delimiter)

    assert first(text) == {
        "title": "Ada & Grace",
        "zone": BERLIN,
        "starts_at": "2026-06-12 14:00",
        "ends_at": "2026-06-13T01:00:00",
    }


@pytest.mark.parametrize("blank", ["\n", "\r\n \r\n"])
def test_lines_without_a_word_before_the_columns_are_passed_over(blank: str) -> None:
    text = f"{HEADER}\n{ROW}\n".replace(",", ";")
    assert first(blank + text) == first(text)


def test_columns_are_known_in_any_order_and_spelling() -> None:
    assert first("Ends at,TITLE,starts-at,zone\nb,c,a,d\n") == {
        "ends_at": "b",
        "title": "c",
        "starts_at": "a",
        "zone": "d",
    }


def test_lines_are_counted_as_an_editor_does_where_a_cell_has_several() -> None:
    rows, _ = read_rows(f'{HEADER},notes\n{ROW},"one\r\ntwo\r\n"\n\n,,,,\n{ROW},three\n')

    assert [(row.line, row.words["notes"]) for row in rows] == [(2, "one\ntwo\n"), (7, "three")]


def test_what_an_empty_cell_says_depends_on_its_column() -> None:
    found = first(f"{HEADER},setup,status,uid,venue,guests,coordinators\n{ROW},,,,,,\n")

    assert found == first(f"{HEADER}\n{ROW}") | {"venue": "", "guests": None, "coordinators": []}


def test_spans_may_be_written_as_a_clock_shows_them() -> None:
    found = first(f"{HEADER},setup,teardown,guests\n{ROW},2:30,PT45M, 120 ")

    assert (found["setup"], found["teardown"], found["guests"]) == ("PT2H30M0S", "PT45M", 120)


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("Ada Byron <ada@a.test>", [{"name": "Ada Byron", "email": "ada@a.test"}]),
        ("ada@a.test; Grace", [{"email": "ada@a.test"}, {"name": "Grace"}]),
        ('"Byron; Ada" <ada@a.test>;', [{"name": "Byron; Ada", "email": "ada@a.test"}]),
        ('"the ""Countess"""', [{"name": 'the "Countess"'}]),
        ("<ada@a.test>;;", [{"email": "ada@a.test"}]),
        (" ", []),
    ],
)
def test_coordinators_stand_in_one_cell(cell: str, people: list[dict[str, str]]) -> None:
    quoted = cell.replace('"', '""')
    assert first(f'{HEADER},coordinators\n{ROW},"{quoted}"')["coordinators"] == people


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", (1, "", "The file is empty.")),
        (HEADER, (1, "", "There is no wedding under the first line.")),
        (f"{HEADER}\n{ROW},x", (2, "", "There are 5 cells, and the first line names 4 columns.")),
        (f"{HEADER},zone\n{ROW},x", (1, "zone", "There are two columns of this name.")),
        ("title,zone,starts_at\na,b,c", (1, "ends_at", "This column is missing.")),
        (
            f"{HEADER},guests\n{ROW},many",
            (2, "guests", "Write a whole number in figures only, or nothing."),
        ),
        (
            f"{HEADER},id\n{ROW},-1",
            (2, "id", "This is the number of a wedding, or empty for a new one."),
        ),
        (
            f"{HEADER},coordinators\n{ROW},Ada <ada",
            (
                *(2, "coordinators"),
                "Write Ada Byron <ada@example.org>; Grace Hopper <grace@example.org>.",
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_told_by_line_and_column(
    text: str, problem: tuple[int, str, str]
) -> None:
    assert said(text) == [problem]


def test_an_unknown_column_is_named_with_those_that_are_known() -> None:
    ((line, column, sentence),) = said(f"{HEADER},Honeymoon\n{ROW},Rome")

    assert (line, column) == (1, "Honeymoon")
    assert sentence.startswith("There is no such column; known are id, title, venue")


def test_a_quotation_mark_that_never_closes_says_where_it_begins() -> None:
    ((line, _, sentence),) = said(f'{HEADER}\n{ROW}\n"Ada,{BERLIN},a,b\n{ROW}\n')

    assert line == 3
    assert "look at the quotation marks" in sentence


@pytest.mark.parametrize(
    ("data", "line", "sentence"),
    [
        (f"{HEADER}\nBéatrice".encode("cp1252"), 2, "The byte 0xe9 is no UTF-8; it may be Windows"),
        (HEADER.encode("utf-16"), 1, "The file is UTF-16."),
        (b"a" * (csv_words.LARGEST + 1), 1, "1,000,000 are the most"),
    ],
)
def test_bytes_that_are_no_text_say_what_to_do(data: bytes, line: int, sentence: str) -> None:
    with pytest.raises(Unreadable) as caught:
        csv_words.decode(data)

    problem = caught.value.problems[0]
    assert problem.line == line
    assert sentence in problem.sentence


def test_no_more_rows_are_read_than_one_transaction_should_hold() -> None:
    text = f"{HEADER}\n" + f"{ROW}\n" * (csv_words.MOST_ROWS + 1)

    assert said(text)[0][2] == "There are more than 2,000 weddings: cut the file into parts."
    assert said(text.removesuffix(f"{ROW}\n")) == []


@pytest.mark.parametrize("title", ["=1+1", "+49", "-1", "@cmd", "'=1", "''@", "＝1"])
def test_no_cell_leaves_as_a_formula_and_each_comes_back_as_it_was(title: str) -> None:
    page = write_rows([words(title=title)])

    assert f",'{title}" in page or f"\n7,'{title}" in page
    assert first(page)["title"] == title


TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": TEXT.map(str.strip).filter(bool),
            "email": st.sampled_from(["", "a@b.test"]),
        }
    ),
    max_size=3,
)


@given(title=TEXT, venue=TEXT, notes=TEXT, people=PEOPLE, source=TEXT)
def test_what_is_written_is_read_again_whatever_people_type(
    title: str, venue: str, notes: str, people: list[dict[str, str]], source: str
) -> None:
    wedding = words(title=f"T{title}", venue=venue, notes=f"{notes}\n{notes}", source=f"{source}S")
    rows, problems = read_rows(write_rows([wedding | {"coordinators": people}]))

    said_of = [{key: value for key, value in person.items() if value} for person in people]
    assert problems == []
    assert rows[0].id == 7
    assert rows[0].words["coordinators"] == said_of
    for name in ("title", "venue", "notes", "source"):
        assert rows[0].words[name] == wedding[name]


save = partial(running.add, starts_at=at("2026-06-12 14:00", BERLIN), hours=11, zone=BERLIN)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def look(client: Client, text: str) -> str:
    answer = client.post(f"{LIST}import/", {"text": text})
    assert answer.status_code == 200
    return text_of(answer.text)


def keep(client: Client, text: str, seen: str = "") -> str:
    answer = client.post(f"{LIST}import/", {"text": text, "keep": "1", "seen": seen}, follow=True)
    return text_of(answer.text)


@pytest.mark.usefixtures("clock", "db")
class TestAdmin:
    def test_an_export_is_the_list_as_it_is_filtered(self, admin_client: Client) -> None:
        save()
        save(title="Tentative", status="tentative")
        assert f'href="{LIST}export.csv?status=tentative"' in (
            admin_client.get(LIST, {"status": "tentative"}).text.replace("__exact", "")
        )
        answer = admin_client.get(f"{LIST}export.csv", {"status__exact": "tentative"})

        assert answer["Content-Disposition"] == 'attachment; filename="weddings-2026-06-10.csv"'
        assert answer.content.startswith(b"\xef\xbb\xbfid,title,")
        assert [row.words["title"] for row in read_rows(answer.text)[0]] == ["Tentative"]

    def test_an_export_comes_back_unchanged(self, admin_client: Client) -> None:
        people = [
            Coordinator.objects.create(name="Ada; Byron", email="ada@a.test", phone="+44 1"),
            Coordinator.objects.create(name="Grace"),
        ]
        said: dict[str, Any] = {"title": "=Ada", "notes": "one\ntwo", "venue": "'@home"}
        wedding = running.add(NOW, zone=BERLIN, guests=80, status="live", **said)
        coordinating.set_people(people={wedding.pk: people}, by="ada", now=NOW)
        late = at("2026-10-25 01:30", LONDON, fold=1)  # half past one for the second time
        save(source="planner", uid="x-1", zone=LONDON, starts_at=late, ends_at=late + HOUR)
        changes = Change.objects.count()
        page = admin_client.get(f"{LIST}export.csv").text

        assert "0 new, 0 changed, 2 unchanged" in look(admin_client, page)
        assert "Imported: 0 new, 0 changed, 2 unchanged." in keep(admin_client, page)
        assert Change.objects.count() == changes

    def test_notes_that_were_typed_into_the_form_come_back_unchanged(
        self, admin_client: Client
    ) -> None:
        form = typed("2026-06-12 14:00", "2026-06-12 23:00", notes="one\r\ntwo")
        assert admin_client.post(f"{LIST}add/", form).status_code == 302

        page = admin_client.get(f"{LIST}export.csv").text
        assert "0 new, 0 changed, 1 unchanged" in look(admin_client, page)

    def test_an_import_is_shown_before_it_is_kept(self, admin_client: Client) -> None:
        known = save(source="planner", uid="x-1")
        page = f"{HEADER},source,uid,id\n{ROW},,,\n{ROW.replace('Ada', 'Eve')},planner,x-1,\n"
        text = look(admin_client, page)

        assert "1 new, 1 changed, 0 unchanged Nothing is imported yet." in text
        assert "It stops no test." in text
        assert (Wedding.objects.count(), Wedding.objects.get().title) == (1, "Ada & Grace")

        assert "Imported: 1 new, 1 changed, 0 unchanged." in keep(admin_client, page)
        known.refresh_from_db()
        assert known.title == "Eve & Grace"
        assert Wedding.objects.exclude(pk=known.pk).get().ends_at == at("2026-06-12 23:00")
        assert Change.objects.filter(wedding=known, field="title").get().by == "admin"

    def test_a_file_is_uploaded_as_well_as_pasted(self, admin_client: Client) -> None:
        upload = SimpleUploadedFile("w.csv", f"\ufeff{HEADER}\r\n{ROW}\r\n".encode())
        answer = admin_client.post(f"{LIST}import/", {"file": upload, "text": ""})

        assert "1 new, 0 changed" in text_of(answer.text)
        assert "Ada &amp; Grace,Europe/Berlin" in answer.text  # carried to the confirmation

    def test_every_problem_is_told_and_nothing_is_kept(self, admin_client: Client) -> None:
        page = (
            f"{HEADER},guests,uid\n{ROW},many,\n{ROW},,\n"
            "Eve,Europe/Berln,2026-06-12 14:00+02:00,2026-06-12 13:00,,\n"
            f",{BERLIN},12/06/2026 14:00,2026-02-30 14:00,,\n"
        )
        text = keep(admin_client, page)

        assert "6 problems, so nothing is imported" in text
        assert "2 guests Write a whole number in figures only, or nothing." in text
        assert "4 zone “Europe/Berln” is not a known time zone; did you mean" in text
        assert "5 title A wedding needs this word." in text
        assert "5 starts_at 12/06/2026 14:00 is not a local time" in text
        assert "5 ends_at 2026-02-30 14:00 is on no calendar." in text
        assert Wedding.objects.count() == 0

    @pytest.mark.parametrize(
        ("column", "cells", "sentence"),
        [
            ("uid", ("x", "x"), "2 uid Several weddings here have this source and uid."),
            ("id", ("77", ""), "2 id There is no wedding 77; leave this empty to add one."),
            ("source", ("", "feed 3"), "3 source Sources called “feed …” are those of calendars"),
        ],
    )
    def test_lines_that_fit_no_calendar_are_told_too(
        self, admin_client: Client, column: str, cells: tuple[str, str], sentence: str
    ) -> None:
        text = look(admin_client, f"{HEADER},{column}\n{ROW},{cells[0]}\n{ROW},{cells[1]}\n")

        assert sentence in text

    def test_one_wedding_cannot_be_meant_twice(self, admin_client: Client) -> None:
        known = save(source="planner", uid="x-1")
        by_number = f"{HEADER},id,source,uid\n{ROW},{known.pk},,\n"

        assert "Several weddings here have this number." in look(
            admin_client, f"{by_number}{ROW},{known.pk},,\n"
        )
        assert "Several weddings here have this source and uid." in look(
            admin_client, f"{by_number}{ROW},,planner,x-1\n"
        )

    def test_a_live_wedding_is_not_ended_by_an_old_file(self, admin_client: Client) -> None:
        live = save(status="live", setup=timedelta(days=3))
        keep(admin_client, f"{HEADER},id,status,venue\n{ROW},{live.pk},confirmed,Barn\n")

        live.refresh_from_db()
        assert (live.status, live.venue) == ("live", "Barn")

    def test_the_tests_that_an_import_would_stop_are_named_first(
        self, admin_client: Client
    ) -> None:
        permit = grant(label="Saturday guest rush")
        page = f"{HEADER}\nEve,{LONDON},2026-06-10 10:00,2026-06-10 20:00\n"
        text = look(admin_client, page)
        assert "This stops 1 running test: Saturday guest rush : nothing yet" in text
        assert Permit.objects.get().revoked_at is None

        assert "Tests were begun or scheduled meanwhile" in keep(admin_client, page)
        assert (Permit.objects.get().revoked_at, Wedding.objects.count()) == (None, 0)

        assert "Stopped 1 running test: “Saturday guest rush” ." in keep(
            admin_client, page, str(permit.id)
        )
        assert (Permit.objects.get().revoked_at, Wedding.objects.count()) == (NOW, 1)

    def test_a_calendar_that_was_changed_since_the_look_is_looked_at_again(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = save()
        preview_of = keeping.preview_of

        def remove_after_a_look(write: Callable[[], Written]) -> Written:
            found = preview_of(write)
            Wedding.objects.all().delete()
            return found

        monkeypatch.setattr(keeping, "preview_of", remove_after_a_look)
        text = keep(admin_client, f"{HEADER},id\n{ROW},{known.pk}\n")

        assert "The calendar was changed meanwhile: look again." in text
        assert f"2 id There is no wedding {known.pk}; leave this empty to add one." in text

    def test_an_import_names_the_tests_that_are_scheduled_as_scheduled(
        self, admin_client: Client
    ) -> None:
        grant(label="Saturday guest rush")
        grant(NOW + timedelta(hours=5), label="Evening rush", run="13")
        page = f"{HEADER}\nEve,{LONDON},2026-06-10 10:00,2026-06-10 20:00\n"
        text = look(admin_client, page)

        assert "This stops 1 running test and 1 scheduled test: " in text
        assert "Evening rush : waits, scheduled for Wed 10 Jun 2026" in text

    def test_only_who_may_write_weddings_may_import(self, client: Client) -> None:
        vera = User.objects.create_user("vera", is_staff=True)
        client.force_login(vera)
        assert client.get(f"{LIST}export.csv").status_code == 403

        vera.user_permissions.set(Permission.objects.filter(codename="view_wedding"))
        assert client.get(f"{LIST}export.csv").status_code == 200
        assert client.get(f"{LIST}import/").status_code == 403
        assert "Import CSV" not in client.get(LIST).text

    def test_a_filter_that_is_none_leads_back_to_the_list(self, admin_client: Client) -> None:
        assert admin_client.get(f"{LIST}export.csv", {"honeymoon": "1"}).status_code == 302

    def test_text_that_was_pasted_with_problems_can_be_mended(self, admin_client: Client) -> None:
        answer = admin_client.post(f"{LIST}import/", {"text": f"{HEADER}\nEve,,,\n</textarea>"})

        assert "Eve,,,\n&lt;/textarea&gt;" in answer.text

    @pytest.mark.bulk
    def test_two_thousand_weddings_are_looked_at_and_kept(self, admin_client: Client) -> None:
        rows = "".join(f"Couple {n},{LONDON},2027-0{n % 9 + 1}-11 14:00,2027-0{n % 9 + 1}-11 22:00"
                       f",Anna <anna{n % 50}@a.test>\n" for n in range(2_000))  # fmt: skip
        page = f"{HEADER},coordinators\n{rows}"

        assert "2000 new, 0 changed, 0 unchanged" in look(admin_client, page)
        assert "Imported: 2000 new" in keep(admin_client, page)
        assert (Wedding.objects.count(), Coordinator.objects.count()) == (2_000, 50)
