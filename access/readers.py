"""Who may come in besides a logged-in user: a token's holder, and who sits at the same machine."""

from collections.abc import Collection, Iterable
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject

from access.roles import READ


class ScopedUser(SimpleLazyObject):  # type: ignore[type-arg]
    """A token's user, who may do what both of them may; counts as that user everywhere else."""

    def __init__(self, user: AbstractBaseUser, scopes: Collection[str]) -> None:
        super().__init__(lambda: user)
        self.__dict__.update(_user=user, _scopes=frozenset(scopes))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in self._scopes and self._user.has_perm(perm, obj)

    def has_perms(self, perms: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return any(self.has_perm(perm) for perm in self._scopes if perm.startswith(f"{app_label}."))

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return {perm for perm in self._scopes if self.has_perm(perm, obj)}


class Neighbour(AnonymousUser):
    """Whoever reaches the embedded stack over loopback without credentials: may look, not touch."""

    is_active = True  # type: ignore[assignment]

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override]
        return True

    @property
    def is_anonymous(self) -> bool:  # type: ignore[override]
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in READ

    def has_module_perms(self, app_label: str) -> bool:
        return any(perm.startswith(f"{app_label}.") for perm in READ)

    def get_username(self) -> str:
        return "embedded reader"

    def __str__(self) -> str:
        return "embedded reader"


def is_loopback(address: str | None) -> bool:
    try:
        ip = ip_address(address or "")
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_loopback


def is_neighbour(peer: str | None, *, forwarded: bool) -> bool:
    """A proxy on this machine also comes from loopback, but says for whom."""
    return bool(settings.WEDSYNC_EMBEDDED) and not forwarded and is_loopback(peer)
