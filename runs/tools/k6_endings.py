"""What k6's exit codes and last words mean (k6's errext/exitcodes), in our sentences."""

import re

from runs.tools import Ending, Kind

_CROSSED = "a threshold of the script was crossed"
_CRASH = 2  # of Go itself: what it says is its stacks
_ENDINGS: dict[int, tuple[Kind, str]] = {
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
    110: ("thresholds_crossed", "the script marked the test as failed"),
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
        sentence = f"{sentence}: {said}"
    return Ending(kind, _sentence(sentence))


def useful_line(stderr: str) -> str:
    """The last thing k6 said: its own words, without a stack trace, its prefixes and its advice.

    Where it ends in a colon, the list behind it is what was meant.
    """
    lines = [line for line in stderr.splitlines() if line.strip()]
    heads = [at for at, line in enumerate(lines) if not line[0].isspace()]
    if not heads:
        return ""
    line = re.sub(r"^could not (initialize|load) .*?file://\S+: ", "", lines[heads[-1]])
    if line.endswith(":"):
        items = (item.strip().lstrip("- ") for item in lines[heads[-1] + 1 :])
        line = f"{line} {'; '.join(items)}"
    return line.partition(". Make sure")[0][:300]


def _sentence(text: str) -> str:
    text = text.rstrip(".") + "."
    return text if text.startswith("k6") else text[:1].upper() + text[1:]
