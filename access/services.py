"""Giving people roles and tokens."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.http import HttpRequest

from access import tokens
from access.models import Token
from access.readers import is_neighbour
from access.roles import ROLES


class UnknownPerson(LookupError):
    pass


class UnknownPermission(LookupError):
    pass


def may_read(request: HttpRequest) -> bool:
    """The pages' question, answered as for the API: by permission, or as the embedded neighbour."""
    return bool(request.user.has_perm("runs.view_run")) or is_neighbour(
        request.META.get("REMOTE_ADDR"), forwarded="HTTP_X_FORWARDED_FOR" in request.META
    )


def issue_token(
    *, username: str, scopes: Collection[str], now: datetime, lifetime: timedelta
) -> str:
    """A new token in plain text, which nobody can ask for again. No scopes: all its user may."""
    _find(scopes)
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise UnknownPerson(f"Nobody here is called {username!r}.")
    secret = tokens.make()
    Token.objects.create(
        hashed=tokens.hash_of(secret),
        user=user,
        scopes=sorted(set(scopes)),
        expires_at=now + lifetime,
    )
    return secret


@transaction.atomic
def sync_roles(*, roles: Mapping[str, Collection[str]] = ROLES) -> None:
    """Make one group per role that has exactly the role's permissions; other groups stay."""
    for role, names in roles.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(_find(names).values())


@transaction.atomic
def add_person(*, username: str, password: str, role: str, staff: bool = False) -> None:
    """Create a person or set an existing one's password and role. `staff` opens the admin."""
    user, _ = get_user_model().objects.get_or_create(username=username)
    user.set_password(password)
    user.is_staff = staff
    user.save()
    user.groups.set([Group.objects.get(name=role)])


def _find(names: Collection[str]) -> dict[str, Permission]:
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type").filter(
            codename__in=[name.partition(".")[2] for name in names]
        )
    }
    if missing := sorted(set(names) - set(known)):
        raise UnknownPermission(f"No such permission: {', '.join(missing)}.")
    return {name: known[name] for name in names}
