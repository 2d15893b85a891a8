"""The record can be read by who may, and changed by nobody."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access import services as access
from tests.audit.conftest import Record
from tests.audit.test_services import tamper

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/entry/"


def test_entries_are_listed_filtered_and_searched(admin_client: Client, record: Record) -> None:
    record(1)
    record(2, action="refused", actor="grace")
    everything, by_action, by_actor, by_subject = (
        admin_client.get(LIST, query).content.decode()
        for query in ({}, {"action": "refused"}, {"q": "grace"}, {"q": "permit 1"})
    )

    assert everything.index("permit 2") < everything.index("permit 1")
    assert "permit 1" not in by_action
    assert "permit 2" in by_actor
    assert "permit 1" not in by_actor
    assert "permit 2" not in by_subject


def test_one_entry_shows_its_data_and_its_place_in_the_chain(
    admin_client: Client, record: Record
) -> None:
    record(1)
    entry = record(2, data={"blocker": {"kind": "<wedding>", "id": 7}})
    page = admin_client.get(f"{LIST}{entry}/change/").content.decode()

    assert "&quot;kind&quot;: &quot;&lt;wedding&gt;&quot;" in page
    assert '<th scope="row">blocker › kind</th><td>&lt;wedding&gt;</td>' in page
    assert "Permit 2: granted, by ada." in page
    assert "Permit 2: granted, by ada." in admin_client.get(LIST).content.decode()
    assert page.count("0" * 64) == 0
    assert "granted" in page

    tamper("UPDATE audit_entry SET body = 'rubbish' WHERE id = %s", entry)
    assert ">rubbish</pre>" in admin_client.get(f"{LIST}{entry}/change/").content.decode()


def test_nobody_adds_changes_or_deletes(admin_client: Client, record: Record) -> None:
    page = f"{LIST}{record()}/"

    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{page}change/", {"actor": "eve"}).status_code == 403
    assert admin_client.post(f"{page}delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("ops", 200), ("coordinator", 403)])
def test_the_record_is_for_ops(client: Client, record: Record, role: str, status: int) -> None:
    access.sync_roles()
    access.add_person(username="kim", password="confetti-9", role=role, staff=True)
    client.force_login(User.objects.get(username="kim"))

    assert client.get(LIST).status_code == status
    assert client.get(f"{LIST}{record()}/change/").status_code == status
