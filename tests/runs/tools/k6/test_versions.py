from collections.abc import Mapping

import pytest

from runs.tools import Finished, ToolProblem
from runs.tools.k6 import versions
from tests.runs.tools.fake_shell import FakeShell, said


@pytest.mark.parametrize("version", ["1.8.1", "2.2.0", "2.0.0-rc1"])
def test_a_k6_that_is_known_here_says_its_version(version: str) -> None:
    shell = FakeShell(version=said(f"k6 v{version} (go1.26.8, linux/amd64)\n"))
    assert versions.ask("k6", {}, shell) == version


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (said(stderr="bad CPU\n", code=1), "bad CPU"),
        (said(code=1), "it ended with code 1 and said nothing"),
        (said(code=-9), "it was killed (signal 9), most often for want of memory"),
        (said("Welcome\n"), "asked for its version, it named none"),
    ],
)
def test_a_k6_that_does_not_start_says_why_and_what_to_do(answer: Finished, words: str) -> None:
    with pytest.raises(ToolProblem) as caught:
        versions.ask("k6", {}, FakeShell(version=answer))
    assert str(caught.value) == (
        f"k6 does not start: {words}. Run ./wedsync tools to get 1.8.1, or let WEDSYNC_K6 name it."
    )
    assert caught.value.code == "tool_error"


def test_a_k6_of_another_age_is_refused() -> None:
    with pytest.raises(ToolProblem, match=r"k6 0\.57\.0 is not known here") as caught:
        versions.ask("k6", {}, FakeShell(version=said("k6 v0.57.0 (go1.23)\n")))
    assert caught.value.code == "tool_unknown_version"


@pytest.mark.parametrize(
    ("code", "told"),
    [("script_hangs", "k6 does not start: asked for its version"), ("survivors", "as it was")],
)
def test_no_script_is_blamed_for_a_k6_that_hangs_before_there_is_one(code: str, told: str) -> None:
    def hang(argv: list[str], env: Mapping[str, str], timeout_s: float) -> Finished:
        raise ToolProblem("as it was", code=code)

    with pytest.raises(ToolProblem, match=told) as caught:
        versions.ask("k6", {}, hang)
    assert "script" not in str(caught.value)
