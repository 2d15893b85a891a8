"""How Locust ended: its exit code, what our last.py said, and the script's own last words."""

import re

from runs.tools import Ending

_OWN_CODE = re.compile(r"^wedsync: the exit code is the script's own:(.*)$", re.MULTILINE)
_TASKS = re.compile(
    r"^wedsync: (\d+) tasks of (\d+) of (\d+) users raised an error, (\d+) came to their end, "
    r"(\d+) of (\d+) requests failed(?:: (.*))?$",
    re.MULTILINE,
)
_TABLES = re.compile(r"^Type +Name +# reqs", re.MULTILINE)
_LOGGED = re.compile(r"^\[[\d-]+ [\d:,]+\] \S*/(?:WARNING|ERROR|CRITICAL)/\S+: (.*)$")
_RAISED = re.compile(r"[\w.]*(Error|Exception|Interrupt|Exit)(:|$)")


def explain(code: int, stderr: str) -> Ending:
    """Locust says 0 after a stop as well as after a natural end, and of tasks that all raised."""
    if code == 0:
        return _broken(stderr) or Ending("finished", "Locust finished.")
    if code == -9:
        return Ending("stopped", "Locust was killed, most often for want of memory.")
    if code in {-2, -15}:
        return Ending("stopped", "Locust was told to stop.")
    said = last_words(stderr)
    if own := _OWN_CODE.search(stderr):
        said = own[1].strip() or said
        sentence = f"The script itself says that the test failed (exit code {code}): {said}"
        return Ending("marked_failed", sentence)
    if code == 1:
        return Ending("script_error", f"The script failed: {said}")
    if code == 2:
        return Ending("script_error", f"The script raised an error outside of a request: {said}")
    return Ending("tool_error", f"Locust ended with code {code}: {said}")


def _broken(stderr: str) -> Ending | None:
    """Several processes tell of their own tasks. Some users whose tasks raise prove nothing while
    others are at work until the end, and where all requests failed that is the cause."""
    told = _TASKS.findall(stderr)
    raised, raisers, users, ended, failed, requests = (
        sum(int(numbers[at]) for numbers in told) for at in range(6)
    )
    if not raised or ended or raisers < users or 0 < failed == requests:
        return None
    error = next(line[6] for line in reversed(told) if line[6])
    sentence = f"No task of the script came to its end; {raised} raised an error: {error}"
    return Ending("script_error", sentence)


def last_words(stderr: str) -> str:
    """The last error that was raised or logged; else the last thing said before Locust's tables."""
    errors = [said for line in stderr.splitlines() if (said := _error_in(line.strip()))]
    words = _TABLES.split(stderr)[0].split("\n")
    lines = [line.strip() for line in words if line.strip()]
    return ([*lines[-1:], *errors[-1:]] or ["it said nothing"])[-1][:300]


def _error_in(line: str) -> str:
    if logged := _LOGGED.match(line):
        return logged[1]
    return line if _RAISED.match(line) else ""
