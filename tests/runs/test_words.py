from datetime import timedelta

import pytest

from runs.words import count, figure, span


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (0.00001234, "0.0000123"),
        (0.4, "0.4"),
        (9.999, "10"),
        (2.055, "2.06"),
        (2.045, "2.04"),
        (12.35, "12.4"),
        (38.24, "38.2"),
        (99.96, "100"),
        (412.4, "412"),
        (1001.4, "1 001"),
    ],
)
def test_a_measured_number_is_short_and_never_an_exponent(number: float, said: str) -> None:
    assert figure(number) == said


def test_a_count_is_exact() -> None:
    assert count(1234567) == "1 234 567"


def test_a_span_is_said_in_its_units() -> None:
    assert span(timedelta(seconds=90)) == "1 min 30 s"
    assert span(timedelta(hours=2)) == "2 h"
    assert span(timedelta(0)) == "0 s"
    assert span(timedelta(seconds=8.6)) == "9 s"
