"""The admin's form of a plan keeps to the same words as every other door."""

import json

import pytest
from django.test import Client

from access import services as access
from runs.models import Plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_tuesday")]
ADD = "/admin/runs/plan/add/"


@pytest.fixture
def ops() -> Client:
    access.add_person(username="ops", role="ops", password="a-long-password", staff=True)
    client = Client()
    assert client.login(username="ops", password="a-long-password")
    return client


def form(**changes: str) -> dict[str, str]:
    objects = dict.fromkeys(("files", "variables", "secrets", "hosts"), "{}")
    return {
        "name": "Nightly rush",
        "tool": "k6",
        "script": "export default () => {}",
        "target": "http://127.0.0.1:8090",
        "duration": "00:02:00",
        "shards": "1",
        "thresholds": "[]",
        "tags": "[]",
        **objects,
        **changes,
    }


def test_tags_are_kept_as_every_door_keeps_them(ops: Client) -> None:
    answer = ops.post(ADD, form(tags=json.dumps([" RSVP ", "guest  list", "rsvp"])))
    assert answer.status_code == 302, answer.text
    assert Plan.objects.get().tags == ["rsvp", "guest list"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tags": '["<b>"]'}, "is no tag"),
        ({"shards": "101"}, "on 1 to 100 workers at once"),
        ({"shards": "0"}, "on 1 to 100 workers at once"),
    ],
)
def test_what_no_door_takes_is_refused_here_too(
    ops: Client, changes: dict[str, str], said: str
) -> None:
    assert said in ops.post(ADD, form(**changes)).text
    assert not Plan.objects.exists()
