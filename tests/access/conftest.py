from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from access import services

NOW = datetime(2026, 6, 9, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Permissions of this app, so that no other app's model is needed here.
ROLES = {"keeper": ("access.view_token", "access.delete_token"), "viewer": ("access.view_token",)}


@pytest.fixture
def keeper(db: None) -> User:
    services.sync_roles(roles=ROLES)
    services.add_person(username="kim", password="confetti-9", role="keeper")
    return User.objects.get(username="kim")
