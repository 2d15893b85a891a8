"""A token is a prefix that leak scanners can find, and 32 random bytes. Only its hash is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from access.models import Token

PREFIX = "wst_"
TELL_USE_EVERY = timedelta(minutes=1)


class BadToken(Exception):
    """Why a token does not let anyone in; its text never holds the token."""


def make() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    # Plain SHA-256 is enough: there is no dictionary of 256 random bits to try.
    return hashlib.sha256(secret.encode()).hexdigest()


def find(secret: str, *, now: datetime) -> Token:
    """The token behind a secret, its use noted at most once a minute. Raises BadToken."""
    token = Token.objects.select_related("user").filter(hashed=hash_of(secret)).first()
    if token is None:
        raise BadToken("This token is unknown here; it may have been deleted.")
    if token.expires_at <= now:
        raise BadToken(f"This token expired at {token.expires_at:%Y-%m-%d %H:%M} UTC.")
    if not token.user.is_active:
        raise BadToken("This token belongs to an account that was closed.")
    if token.last_used_at is None or now - token.last_used_at >= TELL_USE_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
