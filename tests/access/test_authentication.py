import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from channels.testing import ApplicationCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from access import services
from access.admin import TokenAdmin
from access.authentication import EmbeddedReader, ScopeUser, TokenAuthentication
from access.models import Token
from access.readers import Neighbour, ScopedUser, is_loopback
from tests.access.conftest import HOUR, NOW


@pytest.fixture(autouse=True)
def tuesday() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def issue(*scopes: str) -> str:
    return services.issue_token(username="kim", scopes=scopes, now=NOW, lifetime=HOUR)


def request(method: str = "get", **meta: str) -> Request:
    return Request(getattr(APIRequestFactory(), method)("/", **meta))


def bearer(secret: str) -> Request:
    return request(HTTP_AUTHORIZATION=f"Bearer {secret}")


def authenticate(secret: str) -> Any:
    found = TokenAuthentication().authenticate(bearer(secret))
    assert found is not None
    return found[0]


def test_a_token_brings_its_user(keeper: User) -> None:
    user = authenticate(issue())
    assert user == keeper
    assert user.has_perm("access.delete_token")


def test_a_scope_limits_what_the_user_may(keeper: User) -> None:
    user = authenticate(issue("access.view_token"))
    assert user == keeper
    assert isinstance(user, User)
    assert user.has_perm("access.view_token")
    assert user.has_perms(["access.view_token"])
    assert not user.has_perm("access.delete_token")
    assert not user.has_perms(["access.view_token", "access.delete_token"])
    assert user.get_all_permissions() == {"access.view_token"}
    assert user.has_module_perms("access")
    assert not user.has_module_perms("auth")


def test_a_scope_gives_nothing_that_the_user_may_not(keeper: User) -> None:
    services.add_person(username="kim", password="rice-7", role="viewer")
    user = authenticate(issue("access.delete_token"))
    assert not user.has_perm("access.delete_token")


def test_a_scope_limits_even_who_may_everything(keeper: User) -> None:
    User.objects.update(is_superuser=True)
    user = authenticate(issue("access.view_token"))
    assert not user.has_perm("access.delete_token")


def test_an_expired_token_says_so(keeper: User, tuesday: Any) -> None:
    secret = issue()
    tuesday.shift(HOUR)
    with pytest.raises(AuthenticationFailed, match="expired at 2026-06-09 11:00 UTC"):
        authenticate(secret)


def test_an_unknown_token_and_a_closed_account_say_so(keeper: User) -> None:
    secret = issue()
    with pytest.raises(AuthenticationFailed, match="unknown here"):
        authenticate("wst_guess")
    User.objects.update(is_active=False)
    with pytest.raises(AuthenticationFailed, match="was closed"):
        authenticate(secret)


def test_use_is_noted_at_most_once_a_minute(keeper: User, tuesday: Any) -> None:
    secret = issue()
    noted = []
    for _ in range(4):
        authenticate(secret)
        noted.append(Token.objects.get().last_used_at)
        tuesday.shift(timedelta(seconds=25))
    assert noted == [NOW, NOW, NOW, NOW + timedelta(seconds=75)]


def test_other_credentials_are_left_to_others() -> None:
    assert TokenAuthentication().authenticate(request()) is None
    basic = request(HTTP_AUTHORIZATION="Basic a2ltOg==")
    assert TokenAuthentication().authenticate(basic) is None
    assert TokenAuthentication().authenticate_header(basic).startswith("Bearer")


def test_no_secret_is_ever_printed(keeper: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = issue("access.view_token")
    user = authenticate(secret)
    token = Token.objects.get()
    with pytest.raises(AuthenticationFailed) as failed:
        authenticate(secret + "x")
    said = [repr(token), str(token), repr(user), str(user), str(token.__dict__), repr(failed.value)]
    said += [str(failed.value), caplog.text]
    assert not [text for text in said if secret[4:20] in text]
    assert "hashed" not in TokenAdmin.list_display


def test_the_admin_shows_tokens_but_makes_none(keeper: User) -> None:
    secret = issue()
    User.objects.update(is_staff=True, is_superuser=True)
    browser = Client()
    browser.force_login(User.objects.get())
    page = browser.get("/admin/access/token/", headers={"host": "localhost"})
    assert page.status_code == 200
    hashed = Token.objects.get().hashed
    assert secret not in page.text
    assert hashed not in page.text
    one = browser.get(f"/admin/access/token/{Token.objects.get().pk}/change/")
    assert hashed not in one.text
    assert browser.get("/admin/access/token/add/").status_code == 403


class TestNeighbour:
    def test_reads_without_credentials_on_loopback(self) -> None:
        found = EmbeddedReader().authenticate(request(REMOTE_ADDR="127.0.0.1"))
        assert found is not None
        user = found[0]
        assert user.is_authenticated
        assert str(user) == "embedded reader"
        assert user.has_perm("streaming.read_stream")
        assert not user.has_perm("runs.add_run")

    @pytest.mark.parametrize(
        ("method", "meta"),
        [
            ("post", {}),
            ("get", {"REMOTE_ADDR": "192.0.2.7"}),
            ("get", {"HTTP_AUTHORIZATION": "Bearer wst_guess"}),
            ("get", {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}),
        ],
    )
    def test_is_nobody_who_changes_things_or_comes_from_elsewhere(
        self, method: str, meta: dict[str, str]
    ) -> None:
        assert EmbeddedReader().authenticate(request(method, **meta)) is None

    def test_exists_only_in_the_embedded_stack(self, settings: Any) -> None:
        settings.WEDSYNC_EMBEDDED = False
        assert EmbeddedReader().authenticate(request()) is None

    @pytest.mark.parametrize(
        ("address", "near"),
        [
            ("127.0.0.1", True),
            ("127.8.8.8", True),
            ("::1", True),
            ("::ffff:127.0.0.1", True),
            ("::ffff:192.0.2.7", False),
            ("192.0.2.7", False),
            ("localhost", False),
            ("", False),
            (None, False),
        ],
    )
    def test_is_told_by_the_address(self, address: str | None, near: bool) -> None:
        assert is_loopback(address) is near


@pytest.mark.django_db(transaction=True)
class TestScope:
    """What a socket's scope says about its user."""

    async def see(self, peer: str = "192.0.2.7", **headers: str) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        async def inner(scope: Any, receive: Any, send: Any) -> None:
            seen.update(scope)

        pairs = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
        scope = {"type": "websocket", "path": "/", "client": [peer, 1], "headers": pairs}
        communicator = ApplicationCommunicator(ScopeUser(inner), scope)
        await communicator.wait()
        return seen

    async def test_a_stranger_is_anonymous(self) -> None:
        scope = await self.see()
        assert scope["auth"] is None
        assert isinstance(scope["user"]._wrapped, AnonymousUser)

    async def test_a_neighbour_may_read(self) -> None:
        scope = await self.see("127.0.0.1")
        assert scope["auth"] == "embedded"
        assert isinstance(scope["user"], Neighbour)
        assert (await self.see("127.0.0.1", x_forwarded_for="192.0.2.7"))["auth"] is None

    async def test_a_token_brings_its_user_and_a_bad_one_says_why(self, keeper: User) -> None:
        secret = await sync_to_async(issue)("access.view_token")
        scope = await self.see(authorization=f"Bearer {secret}")
        assert scope["auth"] == "token"
        assert isinstance(scope["user"], ScopedUser)
        bad = await self.see("127.0.0.1", authorization="Bearer wst_guess")
        assert bad["auth"] is None
        assert bad["auth_problem"] == "This token is unknown here; it may have been deleted."

    async def test_who_is_logged_in_comes_first(self, keeper: User) -> None:
        browser = Client()
        await sync_to_async(browser.force_login)(keeper)
        cookie = f"sessionid={browser.cookies['sessionid'].value}"
        scope = await self.see("127.0.0.1", cookie=cookie)
        assert scope["auth"] == "session"
        assert scope["user"].username == "kim"
