import argparse
import json
import runpy
import sys
from io import StringIO
from pathlib import Path

import pytest

from wedsync_cli import bootstrap
from wedsync_cli.verbs import bench
from wedsync_cli.words import FAILED, PASSED, Context

BENCH = Path(__file__).parents[2] / "bench"


def test_the_figures_are_the_object_on_the_last_line() -> None:
    assert bench.last_object('warming up\n{"k6_rps": 19000}\n') == {"k6_rps": 19000}


def test_output_that_does_not_end_with_an_object_has_no_figures() -> None:
    assert bench.last_object("Killed") == bench.last_object("[1]") == bench.last_object("") == {}


def test_the_table_sets_each_figure_beside_its_baseline() -> None:
    now = {"rate": {"ours": 18_300.0, "by hand": 19_000}, "tool": "k6"}
    kept = {"rate": {"ours": 18_000.0}}

    lines = [line.split() for line in bench.comparison(now, kept)]

    assert lines == [
        ["figure", "now", "baseline", "ratio"],
        ["rate.ours", "18", "300", "18", "000", "1.02"],
        ["rate.by", "hand", "19", "000", "-", "-"],
        ["tool", "k6", "-", "-"],
    ]


@pytest.mark.parametrize(("ends_with", "code"), [(0, PASSED), (1, FAILED)])
def test_a_benchmark_over_its_limit_shows_its_figures_and_fails(
    context: Context,
    out: StringIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    ends_with: int,
    code: int,
) -> None:
    monkeypatch.setattr(bootstrap, "ensure", lambda context, **words: None)
    context.python.parent.mkdir(parents=True)
    context.python.symlink_to(sys.executable)
    script = context.root / "bench" / "race.py"
    script.parent.mkdir()
    script.write_text(
        f"import sys; print('{{\"laps\": ' + sys.argv[1] + '}}'); raise SystemExit({ends_with})"
    )

    assert bench.run(context, argparse.Namespace(name="race", more=["7"])) == code
    assert "laps" in out.getvalue()
    assert json.loads(capsys.readouterr().out) == {"laps": 7}


def test_the_guards_benchmark_names_each_figure_over_its_limit() -> None:
    broken = runpy.run_path(str(BENCH / "guard.py"))["broken"]
    kept = json.loads((BENCH / "guard.baseline.json").read_text())
    assert broken(kept) == []
    slower = kept | {"sqlite": kept["sqlite"] | {"growth": 2.5, "refusal_ms_crowded": 101}}
    assert broken(slower) == [
        "sqlite: growth is 2.5, over its limit of 2.",
        "sqlite: refusal_ms_crowded is 101, over its limit of 100.",
    ]


def test_ingests_benchmark_names_each_figure_beyond_its_limit() -> None:
    broken = runpy.run_path(str(BENCH / "ingest.py"))["broken"]
    kept = json.loads((BENCH / "ingest.baseline.json").read_text())
    assert broken(kept) == []
    assert broken(kept | {"times_plain": 3.4, "p99_off_percent": 0.6}) == [
        "times_plain is 3.4, under its limit of 3.5.",
        "p99_off_percent is 0.6, over its limit of 0.5.",
    ]
