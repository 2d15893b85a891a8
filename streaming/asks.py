"""What a client may say on the socket, and what is wrong with everything else, in words. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

LONGEST = 4096
STREAM = "loadtest_metrics"
_EXAMPLE = f'{{"subscribe":"{STREAM}","testId":"12"}}'


@dataclass(frozen=True, slots=True)
class Subscribe:
    test_id: str
    since: int


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    test_id: str


@dataclass(frozen=True, slots=True)
class Hello:
    """The client asks for the greeting again, to learn the guard's verdict now."""


class BadAsk(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def parse(text: str | None) -> Subscribe | Unsubscribe | Hello:
    """Read one frame; None stands for a binary one. Raises BadAsk."""
    if text is None:
        raise BadAsk("binary", f"Binary frames mean nothing here; send text such as {_EXAMPLE}.")
    if len(text) > LONGEST:
        raise BadAsk("too_large", f"A message may have {LONGEST} characters; yours is longer.")
    words = _read(text)
    if words.get("ask") == "hello":
        return Hello()
    verb = next((verb for verb in ("subscribe", "unsubscribe") if verb in words), None)
    if verb is None:
        raise BadAsk("unknown_message", f"Nothing to do for this; send {_EXAMPLE}.")
    if words[verb] != STREAM:
        raise BadAsk("unknown_stream", f'There is one stream to {verb}, "{STREAM}".')
    test_id = _test_id(words)
    return Subscribe(test_id, _since(words)) if verb == "subscribe" else Unsubscribe(test_id)


def sequence_number(value: object) -> int:
    """A `seq` as JSON number or as text of a header; ValueError where it is neither."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    raise ValueError(f"not a sequence number: {value!r}")


def _read(text: str) -> dict[str, Any]:
    try:
        words = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise BadAsk("not_json", f"That is not JSON; send text such as {_EXAMPLE}.") from None
    if not isinstance(words, dict):
        raise BadAsk("unknown_message", f"A message is a JSON object; send {_EXAMPLE}.")
    return words


def _test_id(words: dict[str, Any]) -> str:
    match words.get("testId"):
        case str(test_id) if 0 < len(test_id) <= 64:
            return test_id
        case int(number) if not isinstance(number, bool):
            return str(number)
    raise BadAsk("missing_test_id", f"Say which test in testId: {_EXAMPLE}.")


def _since(words: dict[str, Any]) -> int:
    try:
        return sequence_number(words.get("since") or 0)
    except ValueError:
        detail = "since is the seq of the last update you saw, a whole number such as 41."
        raise BadAsk("bad_since", detail) from None
