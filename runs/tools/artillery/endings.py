"""What Artillery's exit code and last words mean (https://www.artillery.io/docs/reference/cli/run)."""

import re

from runs.tools import Ending, EndingKind

_ENDINGS: dict[int, tuple[EndingKind, str]] = {
    0: ("finished", "Artillery finished"),
    1: ("script_error", "The script failed"),
    2: ("tool_error", "Artillery does not accept the way it was started"),
    3: ("tool_error", "Artillery lost its supervisor"),
    11: ("script_error", "The script failed in a worker of Artillery"),
    21: ("marked_failed", "An expectation of the script's expect plugin was not met"),
    130: ("stopped", "Artillery was told to stop"),
    143: ("stopped", "Artillery was told to stop"),
    -2: ("stopped", "Artillery was told to stop"),
    -9: ("stopped", "Artillery was killed, most often for want of memory"),
    -15: ("stopped", "Artillery was told to stop"),
}
_FOREIGN = (
    "Artillery ended with code {}, which is none of its own: look in the script's functions and "
    "plugins for what asks for it"
)
_NOISE = ("Test run id", "at ", "WARNING", "Error: Build failed with", "code: '", "url: '", "}")
_LATE_MESSAGE = re.compile(
    r"Callback was already called.*?at (captured|\S*messageHandler) \(\S*engine_ws\.js", re.DOTALL
)
_OWN_FAULT = (
    "Artillery's own WebSocket engine failed in a worker, as it does by hand: a message came after "
    "its step was over, answered already or timed out. Let the flow await each message that the "
    "site sends (“wait”, or “send” with “match” or “capture”), or raise config.timeout."
)
_OWN_SCRIPT = re.compile(r"(?:[\w./@-]*/)?wedsync-script\.(?:ts\.js|\w+)(?::(\d+)(?::\d+)?)?")
_IMPORTER = re.compile(r" imported from \S*/artillery/dist/\S+")
_IN_WORKER = re.compile(r"^worker error, id: \d+ ")


def explain(code: int, stderr: str) -> Ending:
    if code == 1 and (failed := re.findall(r"^fail: (.*?)(?<! \(optional\))$", stderr, re.M)):
        return Ending("thresholds_crossed", f"The script's ensure failed: {failed[-1]}.")
    if code == 11 and _LATE_MESSAGE.search(stderr):
        return Ending("script_error", _OWN_FAULT)
    kind, sentence = _ENDINGS.get(code, ("tool_error", _FOREIGN.format(code)))
    said = useful_line(stderr)
    if kind in {"script_error", "tool_error"} and said:
        sentence = f"{sentence}: {said}"
    return Ending(kind, sentence if sentence.endswith(("?", "!")) else sentence.rstrip(".") + ".")


def useful_line(words: str) -> str:
    """The line that names an error, else the last one that was said."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    lines = [_IN_WORKER.sub("Error: ", line) for line in lines if not line.startswith(_NOISE)]
    errors = [line for line in lines if re.search(r"\b(\w*Error|\w*Exception|ERROR)\b.*?:", line)]
    line = ([*errors[:1], *lines[-1:]] or [""])[0]
    line = _IMPORTER.sub("", _OWN_SCRIPT.sub(_call_script, line))
    return re.sub(r"^(\w*Error( \[\w+\])?: )+", "", line)[:300]


def _call_script(found: re.Match[str]) -> str:
    """Not by the name that we gave it."""
    return f"line {found[1]} of the script" if found[1] else "the script"
