import re
from dataclasses import replace

import pytest

from dashboard.trend import BOTTOM, LEFT, RIGHT, TOP, draw
from runs.services import TrendPoint


def point(p95: float | None, *, state: str = "passed", is_baseline: bool = False) -> TrendPoint:
    return TrendPoint(
        run="7",
        name="nightly rush",
        at="2026-06-09T08:00:00+00:00",
        state=state,
        reason="",
        is_baseline=is_baseline,
        requests=0 if p95 is None else 900,
        rps=p95 and 30.0,
        error_rate=p95 and 0.0,
        p50_ms=p95 and p95 / 2,
        p95_ms=p95,
        p99_ms=p95 and p95 * 1.2,
    )


def test_without_a_measured_run_there_is_nothing_to_draw() -> None:
    assert draw([]) is None
    assert draw([point(None, state="errored")]) is None


def test_runs_stand_evenly_from_the_oldest_to_the_latest() -> None:
    drawing = draw([point(100), point(200), point(300)])
    assert drawing is not None
    assert [mark.x for mark in drawing.marks] == [LEFT, (LEFT + RIGHT) / 2, RIGHT]


def test_a_single_run_stands_in_the_middle() -> None:
    drawing = draw([point(100)])
    assert drawing is not None
    assert [mark.x for mark in drawing.marks] == [(LEFT + RIGHT) / 2]
    assert drawing.steps == ()


def test_slower_is_higher_and_all_of_it_stays_inside() -> None:
    drawing = draw([point(100), point(400)])
    assert drawing is not None
    fast, slow = drawing.marks
    assert slow.y < fast.y
    for mark in drawing.marks:
        assert TOP <= mark.high <= mark.y <= mark.low <= BOTTOM


@pytest.mark.parametrize("highest", [0.4, 7.0, 83.0, 999.0, 12_000.0])
def test_the_grid_has_few_round_lines_and_reaches_above_the_highest(highest: float) -> None:
    drawing = draw([point(highest / 1.2)])
    assert drawing is not None
    values = [line.value for line in drawing.grid]
    assert values[0] == 0
    assert values[-1] >= highest * 0.999
    assert 2 <= len(values) <= 6
    assert re.fullmatch(r"[125]0*", f"{values[1] * 1000:.0f}")
    assert drawing.grid[0].y == BOTTOM
    assert drawing.grid[-1].y == TOP


def test_a_run_that_measured_nothing_is_marked_and_the_line_goes_past_it() -> None:
    drawing = draw([point(100), point(None, state="lost"), point(120)])
    assert drawing is not None
    first, silent, last = drawing.marks
    assert (silent.kind, silent.has_figures, silent.y) == ("errored", False, BOTTOM)
    assert drawing.steps == ((first.x, first.y, last.x, last.y),)


def test_the_baseline_is_found_among_the_runs() -> None:
    points = [point(100), point(90), point(120)]
    drawing = draw([points[0], replace(points[1], is_baseline=True), points[2]])
    assert drawing is not None
    assert drawing.baseline is drawing.marks[1]
