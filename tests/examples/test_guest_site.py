"""The sample guest site, called as an ASGI app; time stands still because its delay is zero."""

import random
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from examples.guest_site import MESSAGES_KEPT, PHOTO_LIMIT, GuestSite, Message, Slowness


@pytest.fixture
def site() -> GuestSite:
    return GuestSite(slowness=Slowness(), chance=random.Random(7))


@pytest_asyncio.fixture
async def guest(site: GuestSite) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=site)
    async with httpx.AsyncClient(transport=transport, base_url="http://guests") as client:
        yield client


async def test_the_home_page_is_a_page(guest: httpx.AsyncClient) -> None:
    answer = await guest.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "getting married" in answer.text


async def test_the_timeline_names_the_ceremony(guest: httpx.AsyncClient) -> None:
    timeline = (await guest.get("/timeline")).json()["timeline"]
    assert {"at": "14:00", "what": "The ceremony"} in timeline


async def test_a_guest_who_answers_twice_is_counted_once(
    guest: httpx.AsyncClient, site: GuestSite
) -> None:
    await guest.post("/rsvp", json={"guest": "Ada", "coming": True})
    answer = await guest.post("/rsvp", json={"guest": "Ada", "coming": False})
    assert answer.status_code == 201
    assert site.replies == {"Ada": False}


async def test_a_photo_of_two_megabytes_is_only_counted(
    guest: httpx.AsyncClient, site: GuestSite
) -> None:
    answer = await guest.post("/photos", content=b"x" * PHOTO_LIMIT)
    assert answer.json() == {"photos": 1, "bytes": PHOTO_LIMIT}
    assert site.photos == 1


async def test_a_larger_photo_is_turned_down(guest: httpx.AsyncClient, site: GuestSite) -> None:
    answer = await guest.post("/photos", content=b"x" * (PHOTO_LIMIT + 1))
    assert answer.status_code == 413
    assert site.photos == 0


async def test_a_message_is_shown_to_the_next_guest(guest: httpx.AsyncClient) -> None:
    await guest.post("/messages", json={"guest": "Noor", "text": "Dance!"})
    messages = (await guest.get("/messages")).json()["messages"]
    assert messages == [{"guest": "Noor", "text": "Dance!"}]


async def test_messages_are_bounded(guest: httpx.AsyncClient, site: GuestSite) -> None:
    for number in range(MESSAGES_KEPT + 5):
        await guest.post("/messages", json={"guest": "Noor", "text": str(number)})
    assert len(site.messages) == MESSAGES_KEPT


async def test_slowness_is_turned_up_while_it_runs(guest: httpx.AsyncClient) -> None:
    answer = await guest.put("/slowness", json={"delay_ms": 0, "error_rate": 1})
    assert answer.json() == {"delay_ms": 0.0, "error_rate": 1.0}
    assert (await guest.get("/timeline")).status_code == 503
    assert (await guest.get("/slowness")).json() == answer.json()


async def test_turning_one_knob_leaves_the_other(guest: httpx.AsyncClient) -> None:
    await guest.put("/slowness", json={"error_rate": 0.5})
    answer = await guest.put("/slowness", json={"delay_ms": 900})
    assert answer.json() == {"delay_ms": 900.0, "error_rate": 0.5}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("DELETE", "/rsvp", b"", 405),
        ("POST", "/rsvp", b"not json", 400),
        ("POST", "/rsvp", b"[]", 400),
        ("POST", "/rsvp", b'{"guest": " "}', 400),
        ("POST", "/photos", b"", 400),
        ("PUT", "/slowness", b'{"delay_ms": -1}', 400),
        ("PUT", "/slowness", b'{"delay_ms": NaN}', 400),
        ("PUT", "/slowness", b'{"error_rate": "much"}', 400),
    ],
)
async def test_nonsense_is_turned_down_with_a_sentence(
    guest: httpx.AsyncClient, method: str, path: str, body: bytes, status: int
) -> None:
    answer = await guest.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")


async def test_the_server_may_start_and_stop_it(site: GuestSite) -> None:
    asked = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    told: list[str] = []

    async def receive() -> dict[str, str]:
        return next(asked)

    async def send(message: Message) -> None:
        told.append(message["type"])

    await site({"type": "lifespan"}, receive, send)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
