from wedsync_cli.verbs import bench


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
