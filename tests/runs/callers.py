"""Who calls the API of runs in the tests, and what they are told."""

from typing import Any

from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

ROOT = "/api/load-testing/"
EVERYTHING = [
    *("view_run", "add_run", "stop_run", "view_plan", "add_plan", "change_plan", "delete_plan"),
    *("view_schedule", "add_schedule", "delete_schedule", "view_target"),
]
SOUND: dict[str, Any] = {
    "name": "guest rush",
    "tool": "k6",
    "script": "export default () => {}",
    "target": "http://127.0.0.1:9000",
    "duration": "PT2M",
}


def caller(*codenames: str, name: str = "mara") -> APIClient:
    """A client of somebody who may do just that; a 500 is raised as what it is."""
    person, _ = User.objects.get_or_create(username=name)
    person.user_permissions.set(Permission.objects.filter(codename__in=codenames or EVERYTHING))
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=person.pk))
    return client


def send(client: APIClient, verb: str, address: str, words: Any = None, **headers: str) -> Any:
    call = getattr(client, verb)
    return call(ROOT + address, words, format="json", headers=headers)


def problem(response: Any, status: int = 400) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    words: dict[str, Any] = response.json()
    assert words["detail"]
    return words
