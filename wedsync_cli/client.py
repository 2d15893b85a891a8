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


class Client:
    def __init__(self, *, port: int, token: str = "") -> None:
        self._origin, self._port = f"http://127.0.0.1:{port}", port
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        # A proxy that the environment names has no business between us and our own machine.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def window(self, duration: str) -> dict[str, Any]:
        return self._ask("GET", f"/window?{urllib.parse.urlencode({'duration': duration})}")

    def start(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Refusal: 409 with blockers and next_safe_window when the calendar says no."""
        return self._ask("POST", "/runs", run)

    def run(self, run_id: str) -> dict[str, Any]:
        return self._ask("GET", f"/runs/{run_id}")

    def stream(self, run_id: str, *, since: str = "") -> Iterator[Event]:
        """The run's events until the connection ends; nothing where the stream is not open yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SILENCE_S)
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            headers = {**self._headers, "Accept": "text/event-stream"}
            headers |= {"Last-Event-ID": since} if since else {}
            connection.request("GET", f"{_API}/stream/{run_id}", headers=headers)
            answer = connection.getresponse()
            if answer.status == http.client.OK:
                yield from events(line.decode() for line in answer)

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {**self._headers, "Accept": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        headers |= {"Content-Type": "application/json"} if content else {}
        request = urllib.request.Request(
            f"{self._origin}{_API}{path}", data=content, headers=headers, method=method
        )
        try:
            with self._open(request, timeout=30) as answer:
                data: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refusal(error.code, _problem(error)) from None
        except (OSError, ValueError) as error:
            raise Unreachable(
                f"{self._origin} did not answer {method} {path}.", why=str(error)
            ) from None
        return data


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
    try:
        problem = json.load(error)
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"status": error.code, "title": error.reason}
