"""Weddings over the API: the words that went in come out, all or nothing, stops told."""

from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from audit import services as audit
from calendar_guard import services
from calendar_guard.models import Coordinator, Permit, Wedding
from tests.calendar_guard.callers import ROOT, caller, problem, wedding_keeper
from tests.calendar_guard.examples import DAY, HOUR, LONDON, at
from tests.calendar_guard.running import grant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

URL = ROOT + "weddings"
NOW = at("2026-06-10 10:00", LONDON)
SENT: dict[str, Any] = {
    "title": "Ada & Grace",
    "venue": "Abbey",
    "zone": "Europe/Berlin",
    "starts_at": "2026-06-10T15:00:00",
    "ends_at": "2026-06-11T01:00:00",
    "setup": "PT3H",
    "teardown": "PT1H30M",
    "guests": 120,
    "status": "tentative",
    "coordinators": [
        {
            "name": "Mara Lind",
            "email": "mara@venue.example",
            "phone": "+44 20 7946 0000",
            "slack_id": "U1",
            "language": "de",
        }
    ],
    "notes": "Cake at five\nBand at nine",
    "source": "crm",
    "uid": "7",
}


@pytest.fixture
def client() -> APIClient:
    return wedding_keeper()


def post(client: APIClient, words: Any, **query: str) -> Any:
    return client.post(URL, words, format="json", query_params=query)


def words_of(**changes: Any) -> dict[str, Any]:
    return {**{name: SENT[name] for name in ("title", "zone", "starts_at", "ends_at")}, **changes}


def test_what_was_sent_comes_back_with_what_follows_from_it(client: APIClient) -> None:
    response = post(client, SENT)
    kept = response.json()

    assert response.status_code == 201
    assert response["Location"] == f"{URL}/{kept['id']}"
    assert {name: kept[name] for name in SENT} == SENT
    assert kept["starts_at_utc"] == "2026-06-10T13:00:00+00:00"
    assert kept["protected"] == {
        "from": "2026-06-10T10:00:00+00:00",
        "until": "2026-06-11T00:30:00+00:00",
    }
    assert kept.pop("stopped") == []
    assert client.get(response["Location"]).json() == kept
    assert client.get(URL).json() == {"weddings": [kept], "count": 1, "next": None}


def test_what_was_read_may_be_sent_back_and_changes_nothing(client: APIClient) -> None:
    kept = client.get(post(client, SENT)["Location"]).json()
    wedding = Wedding.objects.get()
    for send in (client.put, client.patch):
        again = send(f"{URL}/{wedding.pk}", kept, format="json")
        assert again.json() == {**kept, "stopped": []}
    assert list(wedding.changes.values_list("field", flat=True)) == ["coordinators", "wedding"]
    assert Coordinator.objects.count() == 1


def test_a_list_is_kept_whole(client: APIClient) -> None:
    response = post(client, [words_of(title=f"Couple {n}") for n in range(3)])

    assert response.status_code == 201
    assert [w["title"] for w in response.json()["weddings"]] == ["Couple 0", "Couple 1", "Couple 2"]
    assert response.json()["new"] == 3


def test_a_list_with_one_wrong_wedding_is_refused_by_its_index(client: APIClient) -> None:
    words = problem(post(client, [words_of(), words_of(zone="Mars", setup="1h"), words_of()]))

    assert list(words["errors"]) == ["1"]
    assert list(words["errors"]["1"]) == ["zone", "setup"]
    assert not Wedding.objects.exists()


def test_a_list_of_many_wrong_weddings_has_a_readable_answer(client: APIClient) -> None:
    words = problem(post(client, [{}] * 1000))
    assert words["errors"]["list"] == ["980 more are wrong as well."]
    assert "At most 1,000" in problem(post(client, [{}] * 1001))["detail"]


def test_a_time_with_an_offset_is_refused_with_the_local_form(client: APIClient) -> None:
    words = problem(post(client, words_of(starts_at="2026-06-10T14:00:00+01:00")))
    assert "shows: 2026-06-10T15:00:00." in words["errors"]["starts_at"][0]


def test_an_unknown_word_is_refused_by_name(client: APIClient) -> None:
    words = problem(post(client, words_of(tear_down="PT1H")))
    assert "no such word; known are" in words["errors"]["tear_down"][0]


def test_posting_a_known_uid_changes_its_wedding(client: APIClient) -> None:
    first = post(client, SENT).json()
    again = post(client, SENT | {"guests": 130})

    assert again.status_code == 200
    assert (again.json()["id"], again.json()["guests"]) == (first["id"], 130)


def test_who_may_only_add_may_change_nothing_by_a_uid() -> None:
    adder = caller("add_wedding")
    assert post(adder, words_of()).status_code == 201
    assert "may not change" in problem(post(adder, SENT), 403)["detail"]


def test_a_patch_changes_what_it_says(client: APIClient) -> None:
    address = post(client, SENT)["Location"]
    changed = client.patch(address, {"ends_at": "2026-06-11T02:00:00"}, format="json").json()

    assert (changed["ends_at"], changed["starts_at"]) == ("2026-06-11T02:00:00", SENT["starts_at"])
    assert changed["coordinators"] == SENT["coordinators"]
    moved = client.patch(address, {"zone": LONDON}, format="json").json()
    assert moved["starts_at"] == SENT["starts_at"]
    assert moved["starts_at_utc"] == "2026-06-10T14:00:00+00:00"


def test_a_put_replaces_all_but_who_it_is_and_how_it_stands(client: APIClient) -> None:
    address = post(client, SENT)["Location"]
    changed = client.put(address, words_of(), format="json").json()

    assert (changed["notes"], changed["coordinators"], changed["setup"]) == ("", [], "PT2H")
    assert (changed["source"], changed["uid"], changed["status"]) == ("crm", "7", "tentative")
    assert "title" in problem(client.put(address, {"zone": LONDON}, format="json"))["errors"]


def test_no_wedding_takes_the_identity_of_another_or_of_a_feed(client: APIClient) -> None:
    post(client, SENT)
    address = post(client, words_of())["Location"]
    taken = problem(client.patch(address, {"source": "crm", "uid": "7"}, format="json"))
    assert "has this source and uid" in taken["errors"]["uid"][0]
    feed = problem(client.patch(address, {"source": "feed 1"}, format="json"))
    assert "calendars that are read" in feed["errors"]["source"][0]


def test_writes_tell_which_tests_they_stopped(client: APIClient) -> None:
    grant(duration=2 * HOUR)
    assert post(client, words_of()).json()["stopped"] == [{"run": "12", "label": "guest rush"}]
    assert not services.permits_in_force(now=NOW)


def test_a_preview_tells_what_it_would_stop_and_writes_nothing(client: APIClient) -> None:
    address = post(client, words_of(starts_at="2026-06-11T00:00:00"))["Location"]
    grant(duration=2 * HOUR)
    would = [{"run": "12", "label": "guest rush"}]
    counts = {"preview": True, "unchanged": 0, "would_stop": would}

    assert post(client, [words_of()], preview="1").json() == counts | {"new": 1, "changed": 0}
    patched = client.patch(f"{address}?preview=1", words_of(), format="json")
    assert patched.json() == counts | {"new": 0, "changed": 1}
    assert Wedding.objects.count() == 1
    assert not Permit.objects.exclude(revoked_at=None).exists()
    assert len(audit.entries(action="calendar")) == 1


@pytest.mark.parametrize("query", ["preveiw=1", "perview=1&preview=1"])
def test_a_slip_in_the_address_writes_nothing(client: APIClient, query: str) -> None:
    address = post(client, words_of())["Location"]
    kept = client.get(address).json()
    asked = f"{URL}?{query}", f"{address}?{query}"
    for answer in (
        client.post(asked[0], words_of(), format="json"),
        client.patch(asked[1], {"title": "Another"}, format="json"),
    ):
        assert "no such word; known are preview" in answer.json()["detail"]
        assert answer.status_code == 400
    assert Wedding.objects.count() == 1
    assert client.get(address).json() == kept


def test_what_has_no_preview_is_not_done_for_one(client: APIClient) -> None:
    address = post(client, words_of())["Location"]
    kept = client.get(address).json()
    for answer in (
        client.delete(f"{address}?preview=1"),
        client.post(f"{address}/complete?preview=1"),
    ):
        assert answer.json()["detail"] == "preview: There is no such word here."
    assert client.get(address).json() == kept


def test_a_slip_in_a_filter_is_not_passed_over(client: APIClient) -> None:
    said = client.get(URL, {"form": "2026-06-11T00:00:00Z"}).json()["detail"]
    assert said.startswith("form: There is no such word; known are from, to, status")


def test_a_zone_that_comes_into_force_is_part_of_the_preview(client: APIClient) -> None:
    """On Kiribati a Saturday begins while London's Friday morning is not over."""
    friday = at("2026-06-12 11:30", LONDON)
    with time_machine.travel(friday, tick=False):
        grant(friday, label="rush", run="9", now=friday)
        far = words_of(
            zone="Pacific/Kiritimati",
            starts_at="2026-07-20T12:00:00",
            ends_at="2026-07-20T20:00:00",
        )
        assert post(client, far, preview="1").json()["would_stop"] == [
            {"run": "9", "label": "rush"}
        ]


def test_removing_is_final_and_told(client: APIClient) -> None:
    address = post(client, SENT)["Location"]
    assert client.delete(address).json()["stopped"] == []
    assert "There is no wedding" in problem(client.delete(address), 404)["detail"]
    problem(client.get(address), 404)
    problem(client.patch(address, {}, format="json"), 404)
    problem(client.get(f"{URL}/{10**30}"), 404)


def test_the_list_is_filtered_and_paged(client: APIClient) -> None:
    days = ("11", "15", "20")
    for number, day in enumerate(days):
        times = {"starts_at": f"2026-06-{day}T12:00:00", "ends_at": f"2026-06-{day}T20:00:00"}
        people = [{"name": f"Person {number}", "email": f"p{number}@venue.example"}]
        status = "cancelled" if number else "confirmed"
        post(client, words_of(**times, status=status, coordinators=people, source=f"s{number}"))

    def listed(**query: str) -> list[str]:
        page = client.get(URL, query).json()
        return [wedding["starts_at"][8:10] for wedding in page["weddings"]]

    assert listed() == ["11", "15", "20"]
    assert listed(**{"from": "2026-06-12T00:00:00Z", "to": "2026-06-16T00:00:00Z"}) == ["15"]
    assert listed(status="cancelled") == ["15", "20"]
    assert listed(source="s2") == ["20"]
    assert listed(coordinator="p1@VENUE.example") == listed(coordinator="person 1") == ["15"]

    page = client.get(URL, {"status": "cancelled", "limit": "1"})
    following = page.json()["next"]
    assert page.json()["count"] == 2
    assert client.get(following).json()["weddings"][0]["starts_at"][8:10] == "20"
    assert client.get(following).json()["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "0" * 20 + "9" * 30}, "offset"),
        ({"from": "yesterday"}, "from"),
        ({"status": "gone"}, "status"),
        ({"source": "a\x00"}, "source"),
        ({"coordinator": "a\x00"}, "coordinator"),
    ],
)
def test_a_bad_filter_is_refused_in_words(
    client: APIClient, query: dict[str, str], field: str
) -> None:
    assert list(problem(client.get(URL, query))["errors"]) == [field]


def test_still_going_protects_until_completed(client: APIClient) -> None:
    address = post(client, SENT | {"setup": "PT5H"})["Location"]
    live = client.post(f"{address}/still-going").json()
    assert (live["status"], live["protected"]["until"]) == ("live", None)
    assert client.post(f"{address}/still-going").status_code == 200

    assert "has not begun" in problem(client.post(f"{address}/complete"), 409)["detail"]
    with time_machine.travel(NOW + DAY, tick=False):
        done = client.post(f"{address}/complete").json()
        assert done["protected"]["until"] == (NOW + DAY + 1.5 * HOUR).isoformat()
        assert client.post(f"{address}/complete").status_code == 200


def test_a_wedding_next_week_is_not_still_going(client: APIClient) -> None:
    times = {"starts_at": "2026-06-20T12:00:00", "ends_at": "2026-06-20T20:00:00"}
    address = post(client, words_of(**times))["Location"]
    assert "it starts Sat 20 Jun" in problem(client.post(f"{address}/still-going"), 409)["detail"]
    client.patch(address, {"status": "cancelled"}, format="json")
    assert "is cancelled" in problem(client.post(f"{address}/still-going"), 409)["detail"]
    problem(client.post(f"{URL}/0/complete"), 404)


def test_a_stale_put_is_refused_while_the_wedding_goes_on(client: APIClient) -> None:
    address = post(client, SENT | {"setup": "PT5H"})["Location"]
    stale = client.get(address).json()
    client.post(f"{address}/still-going")

    assert "is under way" in problem(client.put(address, stale, format="json"), 409)["detail"]
    assert client.get(address).json()["status"] == "live"
    assert client.put(address, words_of(setup="PT5H"), format="json").json()["status"] == "live"


def test_no_wedding_is_completed_before_it_has_begun(client: APIClient) -> None:
    address = post(client, SENT)["Location"]
    for response in (
        client.patch(address, {"status": "completed"}, format="json"),
        post(client, words_of(status="completed")),
    ):
        assert "has not begun" in problem(response)["errors"]["status"][0]
    assert Wedding.objects.get().status == "tentative"


def test_no_wedding_is_live_before_its_set_up_and_shuts_every_launch(client: APIClient) -> None:
    august = {"starts_at": "2026-08-15T12:00:00", "ends_at": "2026-08-15T20:00:00"}
    address = post(client, words_of(**august))["Location"]
    for response in (
        client.patch(address, {"status": "live"}, format="json"),
        client.put(address, words_of(**august, status="live"), format="json"),
        post(client, words_of(**august, status="live")),
    ):
        assert "set-up has not begun" in problem(response)["errors"]["status"][0]
    assert services.check(start=NOW, duration=HOUR, now=NOW).safe
    assert client.patch(address, {"status": "cancelled"}, format="json").status_code == 200


def test_whose_day_it_is_with_whom_to_call(client: APIClient) -> None:
    post(client, SENT | {"setup": "PT5H"})
    post(client, words_of(starts_at="2026-06-10T23:00:00"))
    [active] = client.get(URL + "/active").json()["weddings"]

    assert (active["title"], active["venue"]) == (SENT["title"], SENT["venue"])
    assert active["starts_at"] == SENT["starts_at"]
    assert active["coordinators"] == SENT["coordinators"]


def test_names_are_for_those_who_may_see_weddings() -> None:
    for client in (caller("view_verdict", "view_hold"), APIClient()):
        for address in (URL, URL + "/active", URL + "/1"):
            problem(client.get(address), 403)
    reader = caller("view_wedding")
    assert reader.get(URL).status_code == 200
    problem(post(reader, SENT), 403)
    problem(reader.put(URL + "/1", {}, format="json"), 403)
    problem(reader.delete(URL + "/1"), 403)
    problem(reader.post(URL + "/1/complete"), 403)
