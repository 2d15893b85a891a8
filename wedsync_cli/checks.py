"""What `check` and `test` run, as data."""

from collections.abc import Sequence
from pathlib import Path

from wedsync_cli.steps import Step

TOOLS = "tool or browser or live"
NO_TOOL = f"not ({TOOLS})"
SLOW = f"{TOOLS} or bulk"
FAST = f"not ({SLOW})"
QUICK = f"not ({SLOW} or paced)"
STORIES = "tests/stories"
# A leap day; protected from morning to night; the hours in which clocks go forward and back.
DATES = {
    "29 February": "2028-02-29 12:00:00",
    "a Saturday": "2026-06-13 12:00:00",
    "the night clocks go forward": "2026-03-29 00:59:00",
    "the night clocks go back": "2026-10-25 00:59:00",
}
# In a night of changing clocks the hour is what is hard, and these ask for it.
CLOCKS = ("tests/calendar_guard", "tests/dashboard", "tests/runs/test_schedules.py")
_OF_RUNS = (
    "belongings comparing fence flood following outcome process redaction rollup shares words"
)
# Tests that ask no date, and of a database nothing that differs: once is enough.
ONCE = (
    "tests/wedsync_cli",
    "tests/test_house.py",
    "tests/test_mortal.py",
    "tests/test_ports.py",
    "tests/integrations",
    "tests/examples",
    "tests/clock",
    "tests/audit/test_chain.py",
    "tests/calendar_guard/ical",
    "tests/dashboard/test_trend.py",
    "tests/dashboard/test_words.py",
    *(f"tests/runs/test_{name}.py" for name in _OF_RUNS.split()),
    "tests/runs/host/test_ports.py",
    "tests/runs/host/test_warden.py",
    "tests/runs/samples",
    "tests/runs/thresholds",
    "tests/runs/tools",
    "tests/streaming",
    "tests/wedsync_loadtest/test_environment.py",
    "tests/wedsync_loadtest/test_guard_policy.py",
)
# Tests that ask the database, but no date.
_WITHOUT_DATES = (
    "api fanout hostile_api live_thresholds plan_admin preparing rates sharding target_admin "
    "targets"
)
UNDATED = (
    "tests/audit",
    "tests/calendar_guard/test_hostile_api.py",
    *(f"tests/runs/test_{name}.py" for name in _WITHOUT_DATES.split()),
)
_DATELESS = (*ONCE, *UNDATED)
# Twice the usual number of cores: many tests wait for a process or a second to pass.
_PARALLEL = ("-n", "4", "--dist", "worksteal")
_PAIR = ("-n", "2", "--dist", "worksteal")
# Files stay whole, since the tests of one share a stack.
_BY_FILE = ("-n", "2", "--dist", "loadfile")
_FEW = {"HYPOTHESIS_PROFILE": "few"}
_SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings"}


def still(root: Path, venv: Path) -> list[Step]:
    """Everything but the tests; the slowest first, since two run at a time."""
    bin_, manage = venv / "bin", (str(venv / "bin" / "python"), "manage.py")
    folders = {path.parent.name for path in root.glob("*/__init__.py")}
    packages = sorted(folders - {"examples", "bench"})  # programs of their own, untyped
    return [
        Step("types (mypy)", (str(bin_ / "mypy"), *packages), _SETTINGS),
        Step("import contracts", (str(bin_ / "lint-imports"),)),
        Step("migrations are complete", (*manage, "makemigrations", "--check"), _SETTINGS),
        Step("Django's checks", (*manage, "check"), _SETTINGS),
        Step("lint (ruff)", (str(bin_ / "ruff"), "check", ".")),
        Step("format (ruff)", (str(bin_ / "ruff"), "format", "--check", ".")),
    ]


def quick_suite(venv: Path) -> Step:
    """The fast tests that wait for nothing, with few of Hypothesis's examples."""
    return Step("quick tests", _pytest(venv, QUICK, *_PARALLEL, "-q"), _FEW)


def dateless_suite(venv: Path) -> Step:
    """Those of the fast tests that ask no date, on SQLite."""
    return Step("fast tests that ask no date", _pytest(venv, FAST, *_PARALLEL, "-q", *_DATELESS))


def stories(venv: Path) -> Step:
    return Step("stories over live stacks", _pytest(venv, SLOW, *_BY_FILE, "-v", STORIES))


def slow_suite(venv: Path) -> Step:
    """The slow tests that are no stories."""
    pytest = _pytest(venv, SLOW, *_BY_FILE, "-v", f"--ignore={STORIES}")
    return Step("tests with real tools, a browser, a live server, or thousands of rows", pytest)


def today_suite(venv: Path) -> Step:
    """Those that ask a date, where there is no faketime to set one."""
    return Step("fast tests today", _pytest(venv, FAST, *_PAIR, "-q", *_without(_DATELESS)))


def postgres_suite(venv: Path) -> Step:
    """Those that ask a date or a database, thousands of rows included, on PostgreSQL."""
    pytest = _pytest(venv, NO_TOOL, *_PAIR, "-q", *_without(ONCE))
    return Step("fast tests on PostgreSQL", pytest, {"WEDSYNC_TEST_DATABASE": "postgresql"})


def long_suites(root: Path, venv: Path, faketime: str | None) -> list[Step]:
    """All that asks for tools, or is hard on the fast tests: the longest first, two at a time.

    Without faketime they ask whatever date it is today.
    """
    if faketime:
        hard = dated_suites(root, venv, faketime)
    else:
        hard = [postgres_suite(venv), today_suite(venv)]
    return [stories(venv), slow_suite(venv), *hard]


def dated_suites(root: Path, venv: Path, faketime: str) -> list[Step]:
    """The fast tests on days on which the calendar is hardest; on one of them on PostgreSQL.

    Tests that are paced move their clock to a quiet day; on two hard days they do so too.
    """
    undated = _without(_DATELESS)
    paced = Step("fast tests", _pytest(venv, FAST, *_PAIR, "-q", *undated), _FEW)
    clocks = Step("fast tests", _pytest(venv, QUICK, "-q", *undated, *CLOCKS), _FEW)
    suites = {
        "29 February": postgres_suite(venv),
        "a Saturday": paced,
        "the night clocks go forward": clocks,
        "the night clocks go back": clocks,
    }
    return [_on(day, suite, root, faketime) for day, suite in suites.items()]


def _on(day: str, suite: Step, root: Path, faketime: str) -> Step:
    """The suite on that day. Timers stay real."""
    env = {
        "TZ": "UTC",
        "PYTHONPATH": str(root / "tests" / "faketime"),
        # Without a cache it calls getenv at any time, which may meet another thread's setenv.
        "FAKETIME_CACHE_DURATION": "1000000",
        # On today's libc this "fix" breaks what it mends: who waits for Python's lock then spins.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
    faked = (faketime, "--exclude-monotonic", "-f", f"@{DATES[day]}")
    return Step(f"{suite.name} on {day}", (*faked, *suite.argv), {**suite.env, **env})


def _without(paths: Sequence[str]) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def _pytest(venv: Path, groups: str, *options: str) -> tuple[str, ...]:
    python: Sequence[str] = (str(venv / "bin" / "python"), "-m", "pytest")
    return (*python, "-m", groups, *options)
