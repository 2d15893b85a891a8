import pytest

from streaming.asks import BadAsk, Hello, Subscribe, Unsubscribe, parse, sequence_number


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('{"subscribe":"loadtest_metrics","testId":"12"}', Subscribe("12", 0)),
        ('{"subscribe":"loadtest_metrics","testId":12,"since":41}', Subscribe("12", 41)),
        ('{"subscribe":"loadtest_metrics","testId":"12","since":null}', Subscribe("12", 0)),
        ('{"unsubscribe":"loadtest_metrics","testId":"12"}', Unsubscribe("12")),
        ('{"ask":"hello"}', Hello()),
    ],
)
def test_what_may_be_said(text: str, meaning: object) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "binary"),
        ("", "not_json"),
        ("{", "not_json"),
        ("[" * 4000, "not_json"),
        ("x" * 5000, "too_large"),
        ("[]", "unknown_message"),
        ("42", "unknown_message"),
        ("{}", "unknown_message"),
        ('{"subscribe":"prices","testId":"12"}', "unknown_stream"),
        ('{"subscribe":["loadtest_metrics"],"testId":"12"}', "unknown_stream"),
        ('{"subscribe":"loadtest_metrics"}', "missing_test_id"),
        ('{"subscribe":"loadtest_metrics","testId":""}', "missing_test_id"),
        ('{"subscribe":"loadtest_metrics","testId":true}', "missing_test_id"),
        ('{"subscribe":"loadtest_metrics","testId":"12","since":-1}', "bad_since"),
        ('{"subscribe":"loadtest_metrics","testId":"12","since":1.5}', "bad_since"),
        ('{"subscribe":"loadtest_metrics","testId":"12","since":1e40}', "bad_since"),
    ],
)
def test_everything_else_is_answered_in_a_sentence(text: str | None, code: str) -> None:
    with pytest.raises(BadAsk) as bad:
        parse(text)
    assert bad.value.code == code
    assert bad.value.detail.endswith(".")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "١", "9" * 30, "abc"])
def test_a_sequence_number_is_a_whole_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a sequence number"):
        sequence_number(text)
