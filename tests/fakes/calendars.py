"""A working calendar server on loopback, and the bad ones: slow, endless, packed with zeros."""

import gzip
import hashlib
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.command, self.path, headers, body))
        self.close_connection = True
        path = self.path.partition("?")[0]
        try:
            self.server.behaviours.get(path, _missing)(self)
        except OSError:
            return  # the client had enough, as many a test wants

    do_POST = do_PUT = do_HEAD = do_GET

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.begin(status, **{"Content_Length": str(len(body))} | headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def begin(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


Behaviour = Callable[[Handler], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    behaviours: dict[str, Behaviour]
    asked: list[Asked]

    def handle_error(self, *_: object) -> None:
        """A client that refuses our certificate or hangs up is what some tests are about."""


@dataclass
class CalendarServer:
    """Use as a context manager; `publish` and the others set what a path answers."""

    certificate: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.behaviours, self._server.asked = {}, self.asked
        if self.certificate:
            self._server.socket = self.certificate.wrap_socket(
                self._server.socket, server_side=True
            )
        self._closing = Event()
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str = "/weddings.ics", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}{path}"

    def behave(self, path: str, behaviour: Behaviour) -> None:
        self._server.behaviours[path] = behaviour

    def publish(
        self, text: str | bytes, path: str = "/weddings.ics", *, etag: bool = True, date: str = ""
    ) -> None:
        """A calendar as a good server gives it: validators, 304, gzip for who asks."""
        body = text.encode() if isinstance(text, str) else text
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"' if etag else ""

        def serve(handler: Handler) -> None:
            marks: dict[str, str] = {"ETag": tag} if tag else {}
            marks |= {"Last_Modified": date} if date else {}
            asked = handler.headers
            fresh = tag and asked.get("If-None-Match") == tag
            if fresh or (date and asked.get("If-Modified-Since") == date):
                handler.answer(304, b"", **marks)
            elif "gzip" in asked.get("Accept-Encoding", ""):
                marks["Content_Encoding"] = "gzip"
                handler.answer(200, gzip.compress(body), **marks)
            else:
                handler.answer(200, body, **marks)

        self.behave(path, serve)

    def say(
        self, status: int, body: bytes = b"", path: str = "/weddings.ics", **headers: str
    ) -> None:
        self.behave(path, lambda handler: handler.answer(status, body, **headers))

    def redirect(self, to: str, path: str, status: int = 302) -> None:
        self.say(status, path=path, Location=to)

    def drip(self, path: str = "/weddings.ics", *, headers_too: bool = False) -> None:
        """A byte now and then, each soon enough for a read time-out, and never an end."""

        def serve(handler: Handler) -> None:
            if headers_too:
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            else:
                handler.begin(200)
            while not self._closing.wait(0.02):
                handler.wfile.write(b"x")

        self.behave(path, serve)

    def pour(self, path: str = "/weddings.ics") -> None:
        """A body without end, as fast as it goes."""

        def serve(handler: Handler) -> None:
            handler.begin(200)
            while not self._closing.is_set():
                handler.wfile.write(b"BEGIN:VEVENT\r\n" * 4096)

        self.behave(path, serve)

    def bomb(self, path: str = "/weddings.ics", *, megabytes: int = 256) -> None:
        """A thousand times larger than it looks."""
        packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
        zeros = bytes(MEGABYTE)
        packed = b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()
        self.say(200, packed, path, Content_Encoding="gzip")


def _missing(handler: Handler) -> None:
    handler.answer(404, b"Not here.")
