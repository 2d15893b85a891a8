from datetime import timedelta

import pytest
from django.test import Client

from access import services as access
from audit import services as audit
from runs.models import Target

pytestmark = pytest.mark.django_db
ADD = "/admin/runs/target/add/"


def form(**changes: str) -> dict[str, str]:
    return {
        "name": "Staging",
        "hosts": "*.Staging.example\n10.1.0.0/16\n\n10.1.0.0/16",
        "environment": "staging",
        "is_open": "on",
        "max_users": "100",
        "max_rate": "",
        "max_duration": "01:00:00",
        "concurrency": "1",
    } | changes


def somebody(role: str) -> Client:
    access.add_person(username=role, role=role, password="a-long-password", staff=True)
    client = Client()
    assert client.login(username=role, password="a-long-password")
    return client


def test_ops_add_a_target_with_its_hosts_one_a_line_and_the_audit_knows() -> None:
    somebody("ops").post(ADD, form())
    target = Target.objects.get(name="Staging")
    assert target.hosts == ["*.staging.example", "10.1.0.0/16"]
    assert (target.max_users, target.max_duration) == (100, timedelta(hours=1))
    (entry,) = audit.entries(subject=f"target {target.pk}")
    assert (entry.actor, entry.action) == ("ops", "target.added")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hosts": "http://shop.example"}, "is no network"),
        ({"hosts": "shop.example:80"}, "no port"),
        ({"hosts": "*"}, "is no host: write a name"),
        ({"hosts": "10.1.0.1/16"}, "has host bits set"),
        ({"hosts": " \n"}, "This field is required"),
        ({"max_duration": "00:00:00"}, "A test lasts a second or more"),
        ({"concurrency": "0"}, "close the target to allow none"),
    ],
)
def test_what_makes_no_sense_is_not_kept_and_is_explained(
    changes: dict[str, str], words: str
) -> None:
    page = somebody("ops").post(ADD, form(**changes)).content.decode()
    assert words in page
    assert not Target.objects.filter(name="Staging").exists()


def test_a_change_and_a_deletion_are_told_to_the_audit() -> None:
    ops = somebody("ops")
    target = Target.objects.create(name="Staging", hosts=["10.1.0.5"])
    ops.post(f"/admin/runs/target/{target.pk}/change/", form(hosts="10.1.0.6"))
    assert Target.objects.get(pk=target.pk).hosts == ["10.1.0.6"]
    ops.post(f"/admin/runs/target/{target.pk}/delete/", {"post": "yes"})
    actions = [entry.action for entry in audit.entries(subject=f"target {target.pk}")]
    assert sorted(actions) == ["target.changed", "target.deleted"]


def test_engineers_see_targets_and_may_not_widen_them() -> None:
    engineer = somebody("engineer")
    target = Target.objects.get(name="This machine")
    assert "This machine" in engineer.get("/admin/runs/target/").content.decode()
    assert engineer.post(ADD, form()).status_code == 403
    change = engineer.post(f"/admin/runs/target/{target.pk}/change/", form())
    assert change.status_code == 403
    assert Target.objects.count() == 1
