from runs.tools import Finished
from tests.runs.tools.fake_shell import FakeShell, said
from tests.runs.tools.local import tool_here


def shell_of(listed: Finished | None = None) -> FakeShell:
    return FakeShell(
        version=said("locust 2.47.0 from /somewhere (Python 3.11.7)\n"),
        list=listed or said("Available Users:\n    Guest\n"),
    )


def python() -> str:
    """Locust's own. Skips the test where it is not installed."""
    return str(tool_here("locust").find().with_name("python"))
