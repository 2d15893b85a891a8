import pytest
from django.contrib.auth.models import Group, User

from access import services
from access.models import Token
from access.roles import READ
from access.roles import ROLES as REAL_ROLES
from tests.access.conftest import HOUR, NOW, ROLES


def test_every_role_may_read() -> None:
    assert all(set(READ) <= set(names) for names in REAL_ROLES.values())


def test_only_engineers_and_ops_start_tests_but_whoever_keeps_the_calendar_stops_them() -> None:
    may = {
        verb: {r for r, names in REAL_ROLES.items() if f"runs.{verb}_run" in names}
        for verb in ("add", "stop")
    }
    assert may == {"add": {"engineer", "ops"}, "stop": {"engineer", "coordinator", "ops"}}


def test_ops_may_do_what_anyone_may() -> None:
    assert all(set(names) <= set(REAL_ROLES["ops"]) for names in REAL_ROLES.values())


@pytest.mark.django_db
def test_every_permission_that_a_role_names_exists() -> None:
    services.sync_roles()
    assert set(Group.objects.values_list("name", flat=True)) >= set(REAL_ROLES)


@pytest.mark.django_db
def test_a_role_has_exactly_its_permissions_however_often_it_is_written() -> None:
    services.sync_roles(roles={"viewer": ROLES["keeper"]})
    services.sync_roles(roles={"viewer": ROLES["viewer"]})
    permissions = Group.objects.get(name="viewer").permissions
    assert [permission.codename for permission in permissions.all()] == ["view_token"]


@pytest.mark.django_db
def test_a_permission_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(services.UnknownPermission, match="access.fly"):
        services.sync_roles(roles={"bird": ("access.fly",)})


def test_a_person_can_do_what_the_role_may(keeper: User) -> None:
    assert keeper.has_perm("access.delete_token")
    assert keeper.check_password("confetti-9")


def test_adding_a_person_again_changes_password_and_role(keeper: User) -> None:
    services.add_person(username="kim", password="rice-7", role="viewer")
    kim = User.objects.get(username="kim")
    assert kim.check_password("rice-7")
    assert not kim.has_perm("access.delete_token")


def test_a_token_is_kept_as_a_hash_only(keeper: User) -> None:
    secret = services.issue_token(username="kim", scopes=(), now=NOW, lifetime=HOUR)
    assert secret.startswith("wst_")
    assert len(secret) > 40
    row = Token.objects.values().get()
    assert secret not in str(row)
    assert row["expires_at"] == NOW + HOUR


def test_nobody_else_and_nothing_unknown_gets_a_token(keeper: User) -> None:
    with pytest.raises(services.UnknownPerson, match="'lee'"):
        services.issue_token(username="lee", scopes=(), now=NOW, lifetime=HOUR)
    with pytest.raises(services.UnknownPermission, match="access.fly"):
        services.issue_token(username="kim", scopes=("access.fly",), now=NOW, lifetime=HOUR)
