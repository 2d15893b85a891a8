import io
import sys
from pathlib import Path
from threading import Event

import pytest

from wedsync_cli import checks, steps
from wedsync_cli.steps import Done, Step
from wedsync_cli.words import Context, Problem

ROOT = Path(__file__).parents[2]
GOOD = Step("good", (sys.executable, "-c", "print('chatter\\nSKIPPED [1] no k6 here')"))
BAD = Step("bad", (sys.executable, "-c", "import sys; sys.exit('line 3 is wrong')"))


def test_all_steps_run_and_only_a_failed_one_shows_its_output(
    context: Context, out: io.StringIO
) -> None:
    done = steps.run_quietly(context, [BAD, GOOD], base={})

    assert {step.name: step.outcome for step in done} == {"bad": "failed", "good": "passed"}
    assert "line 3 is wrong" in out.getvalue()
    assert "no k6 here" in out.getvalue()
    assert "chatter" not in out.getvalue()


def test_what_goes_on_meanwhile_tells_its_words_whole_once_it_is_waited_for(
    context: Context, out: io.StringIO
) -> None:
    here, there = Event(), Event()

    def build(beside: Context) -> list[Done]:
        with beside.say.step("Building"):
            there.set()
            assert here.wait(20)
        return [Done("k6", "passed")]

    with steps.meanwhile(context, build) as built:
        assert there.wait(20)
        context.say.line("our own words")
        here.set()
        assert built() == [Done("k6", "passed")]

    ours, theirs = out.getvalue().splitlines()
    assert ours == "our own words"
    assert theirs.startswith("Building ... ")


def test_what_breaks_meanwhile_breaks_the_command_that_waits_for_it(
    context: Context, out: io.StringIO
) -> None:
    def build(beside: Context) -> list[Done]:
        with beside.say.step("Building"):
            raise Problem("No compiler.")

    with pytest.raises(Problem, match="No compiler"), steps.meanwhile(context, build) as built:
        built()

    assert out.getvalue() == "Building ... failed\n"


def test_a_command_that_is_interrupted_begins_nothing_more_beside(context: Context) -> None:
    done: list[Done] = []

    def go_on(beside: Context) -> list[Done]:
        assert beside.given_up.wait(20)
        done.extend(steps.run_quietly(beside, [GOOD], base={}))
        return done

    with pytest.raises(KeyboardInterrupt), steps.meanwhile(context, go_on):
        raise KeyboardInterrupt

    assert [step.outcome for step in done] == ["skipped"]


def test_the_summary_ends_with_what_failed() -> None:
    done = [Done("lint", "passed", 1.0), Done("types", "failed", 2.0), Done("k6", "skipped")]

    assert steps.summary(done)[-1] == "1 of 3 steps failed: types"
    assert steps.summary(done[:1])[-1] == "All 1 steps passed (1 s of work)"


def test_hard_days_are_set_in_utc_with_timers_left_alone() -> None:
    suites = checks.dated_suites(Path("/house"), Path(".venv"), "/usr/bin/faketime")

    assert len(suites) == 4
    for suite in suites:
        assert suite.env["TZ"] == "UTC"
        assert suite.env["PYTHONPATH"] == "/house/tests/faketime"
        assert suite.argv[:3] == ("/usr/bin/faketime", "--exclude-monotonic", "-f")
    assert [suite.argv[3] for suite in suites] == [f"@{day}" for day in checks.DATES.values()]
    assert [suite.env.get("WEDSYNC_TEST_DATABASE") for suite in suites].count("postgresql") == 1


def test_what_is_ignored_somewhere_is_there() -> None:
    for path in (*checks.ONCE, *checks.UNDATED, *checks.CLOCKS):
        assert (ROOT / path).exists(), path
