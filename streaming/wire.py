"""The stream's words and their exact bytes: WebSocket messages, SSE frames, a header between.

An update is encoded once, by its publisher; everyone after that splices bytes unparsed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

RETRY = b"retry: 1000\n\n"
HEARTBEAT = b": still here\n\n"

Kind = Literal["update", "end"]


class Update(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One state of one second of a run; the field order is the wire's.

    `seq` grows with every update of a topic and is never used twice; an open second is sent again
    under a new one until it is `final`. Percentiles are None where there were no samples.
    `thresholds` says how near each is to being broken and `breaches` which were in this second, a
    sentence each; both come with final updates only and are left out where they are empty.
    """

    seq: int
    at: str
    final: bool
    requests: int
    rps: float
    errors: int
    error_rate: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    users: int | None
    tags: Mapping[str, object]
    thresholds: Sequence[Mapping[str, object]] = ()
    breaches: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """A message of a topic, built once for all its readers. `lasting` ones are kept for replay."""

    kind: Kind
    seq: int
    lasting: bool
    text: str
    chunk: bytes


def pack_update(update: Update) -> bytes:
    return b"update %d %d\n%b" % (update.seq, update.final, _json(update))


def pack_end(seq: int, verdict: Mapping[str, Any]) -> bytes:
    return b"end %d 1\n%b" % (seq, _json(verdict))


def read_header(message: bytes) -> tuple[Kind, int, bool, bytes]:
    """Split a packed message into kind, seq, lasting and JSON; ValueError where it is not ours."""
    header, newline, body = message.partition(b"\n")
    match header.split(b" "):
        case [b"update", seq, lasting] if newline:
            return "update", int(seq), lasting == b"1", body
        case [b"end", seq, b"1"] if newline:
            return "end", int(seq), True, body
    raise ValueError(f"Not a message of a stream: {header[:40]!r}")


def frame(topic: str, message: bytes) -> Frame:
    kind, seq, lasting, body = read_header(message)
    test_id = _json(topic).decode()
    if kind == "update":
        text = f'{{"type":"metrics_update","testId":{test_id},"data":{body.decode()}}}'
        chunk = b"id: %d\ndata: %b\n\n" % (seq, body)
    else:
        text = f'{{"type":"run_ended","testId":{test_id},"verdict":{body.decode()}}}'
        chunk = b"id: %d\nevent: run_ended\ndata: %b\n\n" % (seq, body)
    return Frame(kind, seq, lasting, text, chunk)


def hello(verdict: Mapping[str, Any], running: Sequence[str]) -> str:
    return _json({"type": "hello", "verdict": verdict, "running": running}).decode()


def refused(verdict: Mapping[str, Any], test_id: str | None = None) -> str:
    return _json({"type": "refused"} | _refusal(verdict) | _about(test_id)).decode()


def error(code: str, detail: str, test_id: str | None = None) -> str:
    return _json({"type": "error", "code": code, "detail": detail} | _about(test_id)).decode()


def refused_event(verdict: Mapping[str, Any]) -> bytes:
    return b"event: refused\ndata: %b\n\n" % _json(_refusal(verdict))


def _refusal(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {name: verdict[name] for name in ("reason", "next_safe_window")}


def _about(test_id: str | None) -> dict[str, str]:
    return {} if test_id is None else {"testId": test_id}


def _json(words: object) -> bytes:
    return msgspec.json.encode(words)
