"""Speaks to the product over its REST API only; a problem document becomes a sentence."""

import contextlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wedsync_cli.words import Problem

_API = "/api/load-testing"
_SILENCE_S = 40  # the stream says at least a heartbeat each 15 s
_ANSWER_S = 30
_AWAY = {502, 503, 504}  # what a proxy says while the product is started again
_HERE = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    id: str = ""


class Refusal(Problem):
    """The product's no as a problem document (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(sentence(problem))
        self.status, self.problem = status, problem


class Unreachable(Problem):
    """Nobody answered: not there yet, or being started again."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token is for the address that was named, and for no other."""

    def redirect_request(self, *arguments: Any, **words: Any) -> None:
        """None ends it as the answer that it is."""


class Client:
    def __init__(self, url: str, *, token: str = "") -> None:
        """Raises ValueError for what is no http(s) address."""
        parts = urllib.parse.urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        if not is_one or parts.query:
            raise ValueError(f"{url!r} is no address; write http://localhost:8080.")
        self._origin = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if parts.hostname in _HERE:
            # A proxy that the environment names has no business between us and our own machine.
            handlers.append(urllib.request.ProxyHandler({}))
        self._open = urllib.request.build_opener(*handlers).open

    def window(self, duration: str) -> dict[str, Any]:
        return self._ask("GET", f"/window?{urllib.parse.urlencode({'duration': duration})}")

    def start(self, run: Mapping[str, Any], *, key: str = "") -> dict[str, Any]:
        """The same key starts the same run once, however often it is sent.

        Raises Refusal: 409 with blockers and next_safe_window when the calendar says no.
        """
        return self._ask("POST", "/runs", run, {"Idempotency-Key": key} if key else {})

    def run(self, run_id: str) -> dict[str, Any]:
        return self._ask("GET", f"/runs/{run_id}")

    def stop(self, run_id: str, *, why: str) -> dict[str, Any]:
        return self._ask("POST", f"/runs/{run_id}/stop", {"why": why})

    def stream(self, run_id: str, *, since: str = "") -> Iterator[Event]:
        """The run's events until the connection ends; nothing where the stream is not open yet."""
        headers = {**self._headers, "Accept": "text/event-stream"}
        headers |= {"Last-Event-ID": since} if since else {}
        address = f"{self._origin}{_API}/stream/{run_id}"
        request = urllib.request.Request(address, headers=headers)
        with (
            contextlib.suppress(OSError, http.client.HTTPException),
            self._open(request, timeout=_SILENCE_S) as answer,
        ):
            yield from events(line.decode() for line in answer)

    def _ask(
        self, method: str, path: str, body: Any = None, more: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        headers = {**self._headers, "Accept": "application/json", **(more or {})}
        content = None if body is None else json.dumps(body).encode()
        headers |= {"Content-Type": "application/json"} if content else {}
        request = urllib.request.Request(
            f"{self._origin}{_API}{path}", data=content, headers=headers, method=method
        )
        try:
            with self._open(request, timeout=_ANSWER_S) as answer:
                data = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                problem = _problem(error)
            if error.code in _AWAY:
                raise self._unreachable(method, path, sentence(problem)) from None
            raise Refusal(error.code, problem) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._unreachable(method, path, str(error)) from None
        if not isinstance(data, dict):
            raise self._unreachable(method, path, "What answered is not WedSync.")
        return data

    def _unreachable(self, method: str, path: str, why: str) -> Unreachable:
        return Unreachable(f"{self._origin} did not answer {method} {path}.", why=why)


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Server-Sent Events out of their lines. https://html.spec.whatwg.org/#parsing-an-event-stream"""
    name, data, last_id = "message", "", ""
    for line in lines:
        field, _, value = line.rstrip("\r\n").partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data += value
        elif field == "id":
            last_id = value
        elif not field and not value:
            if data:
                yield Event(name, json.loads(data), last_id)
            name, data = "message", ""


def sentence(problem: Mapping[str, Any]) -> str:
    """What happened and what next, out of a problem document or whatever came in its place."""
    status = problem.get("status", "no status")
    what = problem.get("detail") or problem.get("title") or f"The answer was {status}."
    return " ".join(str(part) for part in (what, problem.get("next")) if part)


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    if 300 <= error.code < 400:
        elsewhere = f"It redirects to {error.headers.get('Location')}; name that address."
        return {"status": error.code, "title": elsewhere}
    try:
        problem = json.load(error)
    except (OSError, ValueError, http.client.HTTPException):
        problem = None
    return problem if isinstance(problem, dict) else {"status": error.code, "title": error.reason}
