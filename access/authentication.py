"""How requests and sockets get their user. Named in settings and asgi, imported by nobody."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.contrib.auth.base_user import AbstractBaseUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

import clock
from access import tokens
from access.models import Token
from access.readers import Neighbour, ScopedUser, is_neighbour

SCHEME = "bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer wst_...`"""

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        secret = _secret(request.META.get("HTTP_AUTHORIZATION", ""))
        if secret is None:
            return None
        try:
            token = tokens.find(secret, now=clock.real_now())
        except tokens.BadToken as bad:
            raise AuthenticationFailed(str(bad)) from None
        return _user(token), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="wedsync"'


class EmbeddedReader(BaseAuthentication):
    """Reading the embedded stack is open on loopback; everything else asks for credentials."""

    def authenticate(self, request: Request) -> tuple[Neighbour, None] | None:
        is_bare = "HTTP_AUTHORIZATION" not in request.META
        is_near = is_neighbour(
            request.META.get("REMOTE_ADDR"), forwarded="HTTP_X_FORWARDED_FOR" in request.META
        )
        if request.method in SAFE_METHODS and is_bare and is_near:
            return Neighbour(), None
        return None


class ScopeUser:
    """ASGI: puts `user` and `auth` into the scope: "session", "token", "embedded" or None.

    A token that does not let in leaves its reason in `auth_problem`.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._with_session = AuthMiddlewareStack(self._after_session)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._with_session(scope, receive, send)

    async def _after_session(self, scope: Any, receive: Any, send: Any) -> None:
        found = {"auth": "session"} if scope["user"].is_authenticated else await _look(scope)
        await self._inner({**scope, **found}, receive, send)


async def _look(scope: Any) -> dict[str, Any]:
    headers = dict(scope["headers"])
    authorization = headers.get(b"authorization", b"").decode("latin-1")
    if (secret := _secret(authorization)) is not None:
        try:
            token = await database_sync_to_async(tokens.find)(secret, now=clock.real_now())
        except tokens.BadToken as bad:
            return {"auth": None, "auth_problem": str(bad)}
        return {"auth": "token", "user": _user(token)}
    peer = (scope.get("client") or [None])[0]
    if not authorization and is_neighbour(peer, forwarded=b"x-forwarded-for" in headers):
        return {"auth": "embedded", "user": Neighbour()}
    return {"auth": None}


def _secret(authorization: str) -> str | None:
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == SCHEME else None


def _user(token: Token) -> AbstractBaseUser | ScopedUser:
    return ScopedUser(token.user, token.scopes) if token.scopes else token.user
