"""What `check` and `test` run, as data."""

from collections.abc import Sequence
from pathlib import Path

from wedsync_cli.steps import Step

NO_TOOL = "not tool and not browser and not live"
FAST = f"{NO_TOOL} and not bulk"
QUICK = f"{FAST} and not paced"
SLOW = "tool or browser or live or bulk"
STORIES = "tests/stories"
# Protected from morning to night; a leap day; the hours in which clocks go forward and back.
DATES = {
    "a Saturday": "2026-06-13 12:00:00",
    "29 February": "2028-02-29 12:00:00",
    "the night clocks go forward": "2026-03-29 00:59:00",
    "the night clocks go back": "2026-10-25 00:59:00",
}
PACED_ON = "a Saturday"
# In a night of changing clocks the hour is what is hard, and these ask for it.
CLOCKS = ("tests/calendar_guard", "tests/dashboard", "tests/runs/test_schedules.py")
_OF_RUNS = (
    "belongings cells comparing fence flood hostile_api limits outcome process redaction rollup "
    "samples shares sketch warden words"
)
# Tests that ask neither a date nor a database: once is enough.
ONCE = (
    "tests/wedsync_cli",
    "tests/integrations",
    "tests/examples",
    "tests/audit/test_chain.py",
    "tests/calendar_guard/test_hostile_api.py",
    *(f"tests/runs/test_{name}.py" for name in _OF_RUNS.split()),
    "tests/runs/thresholds",
    "tests/runs/tools",
    "tests/streaming/test_hub.py",
    "tests/wedsync_loadtest/test_environment.py",
)
# Tests that ask the database, but no date.
_WITHOUT_DATES = (
    "api fanout live_thresholds plan_admin preparing rates sharding target_admin targets"
)
UNDATED = ("tests/audit", *(f"tests/runs/test_{name}.py" for name in _WITHOUT_DATES.split()))
_DATELESS = (*ONCE, *UNDATED)
# Twice the usual number of cores: many tests wait for a process or a second to pass.
_PARALLEL = ("-n", "4", "--dist", "worksteal")
_PAIR = ("-n", "2", "--dist", "worksteal")
# Files stay whole, since the tests of one share a stack.
_BY_FILE = ("-n", "2", "--dist", "loadfile")
_BEHIND = ("nice", "-n", "10")  # what waits for a second on the clock goes first
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


def fast_suite(venv: Path) -> Step:
    return Step("fast tests", _pytest(venv, FAST, *_PARALLEL, "-q"))


def dateless_suite(venv: Path) -> Step:
    """Those of the fast tests that no dated suite runs."""
    return Step("fast tests that ask no date", _pytest(venv, FAST, *_PARALLEL, "-q", *_DATELESS))


def stories(venv: Path) -> Step:
    return Step("stories over live stacks", _pytest(venv, SLOW, *_BY_FILE, "-v", STORIES))


def slow_suite(venv: Path) -> Step:
    """The slow tests that are no stories."""
    pytest = _pytest(venv, SLOW, *_BY_FILE, "-v", f"--ignore={STORIES}")
    return Step("tests with real tools, a browser, a live server, or thousands of rows", pytest)


def postgres_suite(venv: Path) -> Step:
    """Those of the fast tests that ask the database, on the other one, today."""
    pytest = _pytest(venv, NO_TOOL, *_PAIR, "-q", *_without(ONCE), "-p", "tests.postgres")
    env = {"WEDSYNC_TEST_DATABASE": "postgresql"}
    return Step("fast tests on PostgreSQL", (*_BEHIND, *pytest), env)


def dated_suites(root: Path, venv: Path, faketime: str) -> list[Step]:
    """The fast tests on days on which the calendar is hardest. Timers stay real.

    Tests that are paced move their clock to a quiet day; on one hard day they do so too.
    """
    return [
        Step(
            f"fast tests on {day}",
            (
                *(*_BEHIND, faketime, "--exclude-monotonic", "-f", f"@{instant}"),
                *_pytest(venv, *((FAST, *_PAIR) if day == PACED_ON else (QUICK,)), "-q"),
                *_without(_DATELESS),
                *(CLOCKS if "clocks" in day else ()),
            ),
            # Without a cache it calls getenv at any time, which may meet another thread's setenv.
            {
                **_FEW,  # the usual number runs today
                "TZ": "UTC",
                "PYTHONPATH": str(root / "tests" / "faketime"),
                "FAKETIME_CACHE_DURATION": "1000000",
            },
        )
        for day, instant in DATES.items()
    ]


def _without(paths: Sequence[str]) -> list[str]:
    return [f"--ignore={path}" for path in paths]


def _pytest(venv: Path, groups: str, *options: str) -> tuple[str, ...]:
    python: Sequence[str] = (str(venv / "bin" / "python"), "-m", "pytest")
    return (*python, "-m", groups, *options)
