"""Whoever migrates has the roles, as roles.py has them today."""

import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal

from access.roles import ROLES

pytestmark = pytest.mark.django_db


def granted() -> dict[str, set[str]]:
    return {
        group.name: {
            f"{permission.content_type.app_label}.{permission.codename}"
            for permission in group.permissions.select_related("content_type")
        }
        for group in Group.objects.all()
    }


def test_a_fresh_database_has_the_four_groups_with_exactly_their_permissions() -> None:
    assert granted() == {role: set(names) for role, names in ROLES.items()}


def test_migrating_again_puts_a_role_right_and_leaves_other_groups_alone() -> None:
    Group.objects.create(name="florists")
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.set(Permission.objects.filter(codename="add_run"))
    Group.objects.get(name="ops").delete()

    call_command("migrate", verbosity=0)

    assert granted() == {role: set(names) for role, names in ROLES.items()} | {"florists": set()}


def test_roles_wait_until_every_permission_is_there(caplog: pytest.LogCaptureFixture) -> None:
    Permission.objects.filter(codename="view_run").delete()
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default", apps=Apps())

    assert "until everything is migrated: No such permission: runs.view_run." in caplog.text
