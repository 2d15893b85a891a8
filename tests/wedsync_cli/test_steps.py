import io
import sys
from pathlib import Path

from wedsync_cli import checks, steps
from wedsync_cli.say import Say
from wedsync_cli.steps import Done, Step

GOOD = Step("good", (sys.executable, "-c", "print('chatter')"))
BAD = Step("bad", (sys.executable, "-c", "import sys; sys.exit('line 3 is wrong')"))


def test_all_steps_run_and_only_a_failed_one_shows_its_output(tmp_path: Path) -> None:
    out = io.StringIO()

    done = steps.run_quietly([BAD, GOOD], root=tmp_path, base={}, say=Say(out))

    assert {step.name: step.outcome for step in done} == {"bad": "failed", "good": "passed"}
    assert "line 3 is wrong" in out.getvalue()
    assert "chatter" not in out.getvalue()


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


def test_every_test_belongs_to_the_fast_or_to_the_slow_groups() -> None:
    groups = checks.SLOW.split(" or ")

    assert " and ".join(f"not {group}" for group in groups) == checks.FAST
