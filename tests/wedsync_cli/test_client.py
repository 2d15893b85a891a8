import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import ports
from wedsync_cli import client
from wedsync_cli.client import Client, Event, Refusal
from wedsync_cli.words import Problem

REFUSAL = {
    "status": 409,
    "title": "The wedding calendar refuses this test",
    "detail": "Saturday wedding day protection",
    "code": "calendar_refused",
    "next": "Start it again inside next_safe_window.",
}
STREAM = b"""retry: 1000

id: 4
data: {"rps": 41}

: still here

id: 5
event: run_ended
data: {}

"""


class Product(BaseHTTPRequestHandler):
    """Answers as the product does: a stream that is open, one that is not, a refusal."""

    def do_GET(self) -> None:
        asked = self.path.removeprefix("/api/load-testing/stream/")
        self._answer(200 if asked == "7" else 409, STREAM, "text/event-stream")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        known = self.headers["Authorization"] == "Bearer secret"
        words: dict[str, Any] = REFUSAL if known else {"status": 401, "detail": "Log in."}
        self._answer(words["status"], json.dumps(words).encode(), "application/problem+json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def product() -> Iterator[Client]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Product)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Client(f"http://127.0.0.1:{server.server_port}", token="secret")
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_refusal_arrives_with_its_sentence_and_all_its_words(product: Client) -> None:
    with pytest.raises(Refusal) as refusal:
        product.start({"name": "rush"})

    assert refusal.value.status == 409
    assert refusal.value.problem["code"] == "calendar_refused"
    assert str(refusal.value) == (
        "Saturday wedding day protection Start it again inside next_safe_window."
    )


def test_a_stream_gives_updates_and_the_end_and_skips_heartbeats(product: Client) -> None:
    assert list(product.stream("7")) == [
        Event("message", {"rps": 41}, "4"),
        Event("run_ended", {}, "5"),
    ]


def test_a_stream_that_is_not_open_yet_is_empty(product: Client) -> None:
    assert list(product.stream("8")) == []


def test_a_product_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(Problem, match="did not answer GET /window"):
        Client(f"http://127.0.0.1:{ports.keep()}").window("PT1M")


def test_a_problem_without_words_still_makes_a_sentence() -> None:
    assert client.sentence({"status": 502}) == "The answer was 502."
