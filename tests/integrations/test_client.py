"""The HTTP client against a real server on loopback, which must be allowed by name of network."""

import logging
import socket
import ssl
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
import trustme

from integrations import client
from tests import ports
from tests.fakes.calendars import CalendarServer, Handler

LOOPBACK = client.read_networks(["127.0.0.0/8", "::1/128"])
QUICK = client.Limits(connect=2, read=2, total=5, wire_bytes=100_000, body_bytes=200_000)
TEXT = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def fetch(url: str, **words: Any) -> client.Answer:
    chosen: dict[str, Any] = {"limits": QUICK, "allow": LOOPBACK} | words
    return client.fetch(url, **chosen)


def seconds_since(begun: float) -> float:
    return time.monotonic() - begun


def test_an_answer_has_its_status_headers_and_body(server: CalendarServer) -> None:
    server.publish(TEXT)
    answer = fetch(server.url())

    assert (answer.status, answer.body) == (200, TEXT.encode())
    again = fetch(server.url(), headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert server.asked[0].headers["accept-encoding"] == "gzip, deflate"


def test_a_status_of_failure_is_an_answer(server: CalendarServer) -> None:
    assert fetch(server.url("/nowhere")).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_delivery_sends_its_headers_and_body_and_follows_nothing(
    server: CalendarServer, method: str
) -> None:
    server.redirect("/other", "/events", 307)
    answer = fetch(server.url("/events"), method=method, headers={"X-Key": "k"}, body=b"{}")

    (asked,) = server.asked
    assert answer.status == 307
    assert (asked.method, asked.body, asked.headers["x-key"]) == (method, b"{}", "k")


def test_a_password_in_the_url_becomes_basic_authentication(server: CalendarServer) -> None:
    server.publish(TEXT)
    fetch(server.url().replace("://", "://ada:s3cret@"))

    assert server.asked[0].headers["authorization"] == "Basic YWRhOnMzY3JldA=="
    assert "s3cret" not in server.asked[0].headers["host"]


# Where it goes


def test_loopback_is_refused_unless_allowed(server: CalendarServer) -> None:
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        with pytest.raises(client.Forbidden, match="a loopback address, which may not be called"):
            fetch(server.url(host=host), allow=())
    assert server.asked == []


def test_what_an_address_says_of_itself_is_known_without_a_call() -> None:
    for url in ("http://127.0.0.1/a", "https://[fd00::1]/a", "https://10.0.0.1/a"):
        with pytest.raises(client.Forbidden, match="which may not be called"):
            client.check(url)
    with pytest.raises(client.Refused, match="no web address"):
        client.check("calendar.ics")
    client.check("https://10.0.0.1/a", allow=client.read_networks(["10.0.0.0/8"]))
    client.check("https://no-such-name.invalid/a")


def test_the_address_that_was_checked_is_the_one_that_is_called(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers differently the second time is asked once only."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    server.publish(TEXT)

    assert fetch(server.url(host="rebinding.test")).status == 200
    with pytest.raises(client.Refused, match=r"rebinding\.test is at 169\.254\.169\.254, a link"):
        fetch(server.url(host="rebinding.test"))


def test_a_name_with_one_bad_address_among_good_ones_is_refused(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = ["127.0.0.1", "10.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(client.Refused, match=r"10\.0\.0\.1, a private address"):
        fetch(server.url(host="mixed.test"))
    assert server.asked == []


def test_the_second_address_is_tried_where_the_first_does_not_answer(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = ["127.0.0.2", "127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    server.publish(TEXT)

    assert fetch(server.url(host="two.test")).status == 200


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "example.com/x",
        "http://",
        "http://a:b:c/",
        "",
        "http://\x00.com/",
    ],
)
def test_what_is_no_web_address_is_refused_in_words(url: str) -> None:
    with pytest.raises(client.Refused, match="no web address"):
        fetch(url)


def test_proxies_of_the_environment_are_not_used(
    server: CalendarServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{ports.keep()}")
    server.publish(TEXT)

    assert fetch(server.url()).status == 200


# Redirects


def test_redirects_are_followed_and_each_is_checked(server: CalendarServer) -> None:
    server.redirect("/b", "/a", 301)
    server.redirect(server.url("/c"), "/b", 307)
    server.publish(TEXT, "/c")
    assert fetch(server.url("/a")).body == TEXT.encode()

    server.redirect("http://169.254.169.254/latest/meta-data/", "/a")
    with pytest.raises(client.Refused, match=r"http://169\.254\.169\.254/…: .* link-local"):
        fetch(server.url("/a"))


def test_the_sixth_redirect_is_one_too_many(server: CalendarServer) -> None:
    for number in range(6):
        server.redirect(f"/{number + 1}", f"/{number}")
    server.publish(TEXT, "/6")

    assert fetch(server.url("/1")).status == 200
    with pytest.raises(client.Refused, match="More than 5 redirects"):
        fetch(server.url("/0"))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher:x"])
def test_a_redirect_to_another_scheme_is_refused(server: CalendarServer, target: str) -> None:
    server.redirect(target, "/a")
    with pytest.raises(client.Refused, match="Redirects to what is no web address"):
        fetch(server.url("/a"))


def test_keys_stay_with_the_origin_that_they_were_meant_for(server: CalendarServer) -> None:
    keys = {"Authorization": "Bearer k", "X-Api-Key": "k", "Cookie": "k", "Accept": "text/calendar"}
    with CalendarServer() as other:
        server.redirect("/b", "/a")
        server.redirect(other.url(), "/b")
        other.publish(TEXT)
        fetch(server.url("/a"), headers=keys)
        (arrived,) = other.asked

    assert server.asked[1].headers["authorization"] == "Bearer k"
    assert arrived.headers["accept"] == "text/calendar"
    assert not {"authorization", "x-api-key", "cookie"} & set(arrived.headers)


# Limits


@pytest.mark.parametrize("headers_too", [False, True])
def test_a_slow_drip_ends_by_the_deadline(server: CalendarServer, headers_too: bool) -> None:
    server.drip(headers_too=headers_too)
    begun = time.monotonic()
    with pytest.raises(client.TooSlow, match=r"No whole answer within 0\.5 seconds"):
        fetch(server.url(), limits=replace(QUICK, total=0.5))

    assert 0.4 < seconds_since(begun) < 3


def test_a_silent_server_ends_by_the_read_time_out(server: CalendarServer) -> None:
    def read_on(handler: Handler) -> None:
        handler.rfile.read(1)

    server.behave("/silent", read_on)
    begun = time.monotonic()
    with pytest.raises(client.TooSlow, match="went silent"):
        fetch(server.url("/silent"), limits=replace(QUICK, read=0.3))

    assert seconds_since(begun) < 3


def test_a_server_that_does_not_take_our_request_ends_by_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(client.TooSlow):
            fetch(url, method="POST", body=bytes(30_000_000), limits=replace(QUICK, total=0.5))


def test_a_name_server_that_does_not_answer_ends_by_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = Event()

    def resolve(*_: Any, **__: Any) -> list[Any]:
        answered.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    begun = time.monotonic()
    with pytest.raises(client.TooSlow, match=r"slow\.test was not resolved in time"):
        fetch("http://slow.test/", limits=replace(QUICK, connect=0.2))
    answered.set()

    assert seconds_since(begun) < 2


def test_an_endless_body_ends_by_its_size(server: CalendarServer) -> None:
    server.pour()
    with pytest.raises(client.TooLarge, match="larger than 100,000 bytes"):
        fetch(server.url())


def test_a_body_that_announces_too_much_is_not_read(server: CalendarServer) -> None:
    server.behave("/big", lambda handler: handler.begin(200, Content_Length=str(10**9)))
    with pytest.raises(client.TooLarge):
        fetch(server.url("/big"))


def test_a_zip_bomb_ends_by_its_unpacked_size_in_little_memory(server: CalendarServer) -> None:
    server.bomb(megabytes=64)
    tracemalloc.start()
    with pytest.raises(client.TooLarge, match="larger than 200,000 bytes once unpacked"):
        fetch(server.url())

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


# What comes back


def deflated(body: bytes, wbits: int) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
def test_both_kinds_of_deflate_are_read(server: CalendarServer, wbits: int) -> None:
    body = TEXT.encode() * 3000
    server.say(200, deflated(body, wbits), Content_Encoding="deflate")

    assert fetch(server.url()).body == body


def test_a_gzip_of_several_members_is_read_whole(server: CalendarServer) -> None:
    members = deflated(b"one ", 31) + deflated(b"two", 31)
    server.say(200, members, Content_Encoding="gzip")

    assert fetch(server.url()).body == b"one two"


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (deflated(b"wedding" * 99, 31)[:-9], "gzip", "ends too early"),
        (b"not packed", "gzip", "damaged"),
        (b"anything", "br", "packed as we did not ask for"),
        (b"anything", "gzip, gzip", "packed as we did not ask for"),
    ],
)
def test_a_packing_that_cannot_be_undone_is_garbled(
    server: CalendarServer, body: bytes, encoding: str, words: str
) -> None:
    server.say(200, body, Content_Encoding=encoding)
    with pytest.raises(client.Garbled, match=words):
        fetch(server.url())


def test_an_answer_cut_short_is_no_answer(server: CalendarServer) -> None:
    def cut(handler: Handler) -> None:
        handler.begin(200, Content_Length="100")
        handler.wfile.write(b"half")

    def noise(handler: Handler) -> None:
        handler.wfile.write(b"noise\r\n\r\n")

    server.behave("/cut", cut)
    server.behave("/noise", noise)
    for path in ("/cut", "/noise"):
        with pytest.raises(client.Garbled, match="no whole HTTP answer"):
            fetch(server.url(path))


def test_nobody_there_is_said_in_words() -> None:
    port = ports.keep()
    with pytest.raises(client.Unreachable, match=f"Nothing answers at 127.0.0.1, port {port}"):
        fetch(f"http://127.0.0.1:{port}/")
    with pytest.raises(client.Unreachable, match=r"no-such-name\.invalid has no address"):
        fetch("http://no-such-name.invalid/")


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[CalendarServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with CalendarServer(certificate=context) as running:
        running.publish(TEXT)
        yield running


def test_tls_checks_the_name_that_was_asked_for_and_who_signed_it(
    secure: CalendarServer, trusted: ssl.SSLContext
) -> None:
    assert fetch(secure.url(host="localhost"), tls=trusted).body == TEXT.encode()
    with pytest.raises(client.Unreachable, match="No safe connection to 127.0.0.1: IP address"):
        fetch(secure.url(), tls=trusted)
    with pytest.raises(client.Unreachable, match="unable to get local issuer certificate"):
        fetch(secure.url(host="localhost"))


def test_a_redirect_from_https_to_http_is_refused(
    secure: CalendarServer, trusted: ssl.SSLContext, server: CalendarServer
) -> None:
    secure.redirect(server.url("/?key=s3cret"), "/a")
    with pytest.raises(client.Refused, match=r"Redirects to http://127\.0\.0\.1:\d+/…, which all"):
        fetch(secure.url("/a", host="localhost"), tls=trusted)


# Secrets


def test_no_error_repr_or_log_shows_a_secret(
    server: CalendarServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "s3cret"
    server.publish(TEXT)
    server.redirect(f"http://u:{secret}@10.0.0.1/{secret}?key={secret}", "/to-private")
    server.redirect(f"nothing://u:{secret}@x/{secret}", "/to-nothing")
    server.redirect(f"/{secret}?again", f"/{secret}")
    server.say(200, b"x", "/packed", Content_Encoding="br")
    server.pour("/pour")
    server.drip("/drip")
    paths = ["/to-private", "/to-nothing", f"/{secret}", "/packed", "/pour", "/drip"]
    base = server.url("").replace("://", f"://ada:{secret}@")
    urls = [f"{base}{path}?key={secret}#{secret}" for path in paths]
    urls += [
        f"http://ada:{secret}@127.0.0.1:{ports.keep()}/{secret}",
        f"http://ada:{secret}@127.0.0.1:no/{secret}",
        f"https://ada:{secret}@127.0.0.1:{server.port}/{secret}",
        f"ftp://ada:{secret}@x/",
    ]
    said = []
    for url in urls:
        with pytest.raises(client.CallFailed) as failed:
            fetch(url, headers={"X-Key": secret}, limits=replace(QUICK, total=0.5))
        said += [str(failed.value), repr(failed.value), client.redact(url)]
    with pytest.raises(client.Refused, match="A header of our request is malformed") as failed:
        fetch(server.url(), headers={"X-Key": f"{secret}\r\nX-Other: 1"})
    answer = fetch(f"{base}/weddings.ics?key={secret}", headers={"X-Key": secret})
    said += [str(failed.value), repr(failed.value), repr(answer), *caplog.messages]

    assert [words for words in said if secret in words] == []
    assert client.redact(urls[0]) == f"http://127.0.0.1:{server.port}/…"
