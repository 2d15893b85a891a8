import json

import pytest

from streaming import wire
from tests.streaming.conftest import MONDAY_WORDS, update

DATA = (
    '{"seq":7,"at":"2026-06-09T10:00:00+00:00","final":true,"requests":412,"rps":412.0,"errors":2,'
    '"error_rate":0.004854,"p50_ms":31.5,"p95_ms":88.25,"p99_ms":null,"users":20,"tags":'
    '{"wedding_season":true,"wedding_peak_time":false,"estimated_wedding_load":3}}'
)


def test_an_update_has_the_fields_of_the_specification_in_its_order() -> None:
    frame = wire.frame("12", wire.pack_update(update(7)))
    assert frame.text == f'{{"type":"metrics_update","testId":"12","data":{DATA}}}'


def test_an_event_carries_the_data_without_the_envelope_under_its_sequence_number() -> None:
    frame = wire.frame("12", wire.pack_update(update(7)))
    assert frame.chunk == f"id: 7\ndata: {DATA}\n\n".encode()


def test_the_end_of_a_run_carries_its_verdict() -> None:
    frame = wire.frame("12", wire.pack_end(8, {"outcome": "passed"}))
    assert frame.text == '{"type":"run_ended","testId":"12","verdict":{"outcome":"passed"}}'
    assert frame.chunk == b'id: 8\nevent: run_ended\ndata: {"outcome":"passed"}\n\n'


def test_hello_refused_and_error_are_worded_as_specified() -> None:
    verdict = {"safe": True}
    no = {"safe": False, "reason": "Saturday", "blockers": [], "next_safe_window": MONDAY_WORDS}
    assert wire.hello(verdict, ["3"]) == '{"type":"hello","verdict":{"safe":true},"running":["3"]}'
    assert json.loads(wire.refused(no)) == {
        "type": "refused",
        "reason": "Saturday",
        "next_safe_window": MONDAY_WORDS,
    }
    assert json.loads(wire.error("not_json", "That is not JSON.", "7")) == {
        "type": "error",
        "code": "not_json",
        "detail": "That is not JSON.",
        "testId": "7",
    }
    assert wire.refused_event(no | {"next_safe_window": None}) == (
        b'event: refused\ndata: {"reason":"Saturday","next_safe_window":null}\n\n'
    )


def test_a_test_id_cannot_break_out_of_its_string() -> None:
    frame = wire.frame('1","x":"', wire.pack_update(update(7)))
    assert json.loads(frame.text)["testId"] == '1","x":"'


@pytest.mark.parametrize("message", [b"", b"update 7 1", b"update x 1\n{}", b"end 7 0\n{}", b"\n"])
def test_a_message_that_is_not_ours_is_told_apart(message: bytes) -> None:
    with pytest.raises(ValueError, match="Not a message|invalid literal"):
        wire.frame("12", message)
