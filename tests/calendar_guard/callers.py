"""Who calls the API in the tests: people with exactly these permissions, and what they are told."""

from typing import Any

from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

ROOT = "/api/load-testing/"


def caller(*codenames: str, name: str = "mara") -> APIClient:
    """A client of somebody who may do just that in the calendar; a 500 is raised as what it is."""
    person, _ = User.objects.get_or_create(username=name)
    found = Permission.objects.filter(
        codename__in=codenames, content_type__app_label="calendar_guard"
    )
    assert len(found) == len(codenames)
    person.user_permissions.set(found)
    client = APIClient()
    client.force_authenticate(User.objects.get(pk=person.pk))
    return client


def wedding_keeper() -> APIClient:
    return caller(*(f"{verb}_wedding" for verb in ("view", "add", "change", "delete")))


def problem(response: Any, status: int = 400) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    words: dict[str, Any] = response.json()
    assert words["detail"]
    return words
