import pytest

from runs.tools.k6 import K6


@pytest.mark.parametrize(
    ("code", "stderr", "kind", "sentence"),
    [
        (0, "whatever\n", "finished", "k6 finished."),
        (
            99,
            "thresholds on metrics 'checks' have been crossed\n",
            "thresholds_crossed",
            "Thresholds on metrics 'checks' have been crossed.",
        ),
        (99, "", "thresholds_crossed", "A threshold of the script was crossed."),
        (107, "Error: no luck\n\tat setup\n", "script_error", "The script failed: Error: no luck."),
        (105, "noise\n", "stopped", "k6 was told to stop."),
        (106, "", "tool_error", "k6 could not open its port on this machine."),
        (110, "", "marked_failed", "The script marked the test as failed."),
        (255, "unknown flag\n", "tool_error", "k6 ended with code 255: unknown flag."),
    ],
)
def test_an_exit_code_becomes_a_sentence(
    k6: K6, code: int, stderr: str, kind: str, sentence: str
) -> None:
    ending = k6.explain(code, stderr)
    assert (ending.kind, ending.sentence) == (kind, sentence)
