"""What k6's exit codes and last words mean (k6's errext/exitcodes), in our sentences."""

from runs.tools import Ending, EndingKind
from runs.tools.k6.sentences import useful_line

_CROSSED = "a threshold of the script was crossed"
_CRASH = 2  # of Go itself: what it says is its stacks
_ABORTED = "test aborted"  # what our sentence says already
_ENDINGS: dict[int, tuple[EndingKind, str]] = {
    0: ("finished", "k6 finished"),
    _CRASH: (
        "tool_error",
        "k6 crashed, most often for want of memory: let the script hold less, or allow more by "
        "WEDSYNC_TOOL_MEMORY_MIB on the worker",
    ),
    100: ("script_error", "setup() of the script took too long"),
    101: ("script_error", "teardown() of the script took too long"),
    102: ("script_error", "the script took too long"),
    103: ("stopped", "k6 was told to stop"),
    104: ("script_error", "k6 does not accept the options of the script"),
    105: ("stopped", "k6 was told to stop"),
    106: ("tool_error", "k6 could not open its port on this machine"),
    107: ("script_error", "the script failed"),
    108: ("script_error", "the script aborted the test itself"),
    109: ("tool_error", "k6 crashed"),
    110: ("marked_failed", "the script marked the test as failed"),
    -2: ("stopped", "k6 was told to stop"),
    -9: ("stopped", "k6 was killed, most often for want of memory"),
    -13: ("tool_error", "k6 lost its reader"),
    -15: ("stopped", "k6 was told to stop"),
}


def explain(code: int, stderr: str) -> Ending:
    said = useful_line(stderr)
    if code == 99:
        crossed = [line for line in stderr.splitlines() if line.startswith("thresholds on")]
        return Ending("thresholds_crossed", _sentence(crossed[-1] if crossed else _CROSSED))
    kind, sentence = _ENDINGS.get(code, ("tool_error", f"k6 ended with code {code}"))
    if kind in {"script_error", "tool_error"} and said and code != _CRASH:
        sentence += said.removeprefix(_ABORTED) if said.startswith(_ABORTED) else f": {said}"
    return Ending(kind, _sentence(sentence))


def _sentence(text: str) -> str:
    text = text.rstrip(".") + "."
    return text if text.startswith("k6") else text[:1].upper() + text[1:]
