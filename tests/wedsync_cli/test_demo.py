import argparse
import io
from pathlib import Path
from typing import Any

import pytest

from tests.wedsync_cli.test_children import PLACE
from wedsync_cli.client import Refusal
from wedsync_cli.stack import Running
from wedsync_cli.supervise import Interrupted
from wedsync_cli.verbs import demo
from wedsync_cli.words import REFUSED, Context

AT = "2026-06-15T07:00:00+00:00"
BLOCKED = {
    "detail": "1 active wedding in progress",
    "blockers": [{"rule": "wedding", "what": "Protected for wedding 7 from Wed 10 Jun"}],
    "next_safe_window": {"start": AT, "end": "2026-06-19T22:44:00+00:00"},
    "run": "4",
}


def _asked(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ((), f"./wedsync demo --at {AT}"),
        (("--at", "2026-06-13T14:00:00+02:00"), f"./wedsync demo --at {AT}"),
        (
            ("--oneshot", "--port", "8151", "--tool", "k6"),
            f"./wedsync demo --port 8151 --tool k6 --oneshot --at {AT}",
        ),
    ],
)
def test_the_suggested_command_keeps_what_was_asked_for(
    words: tuple[str, ...], command: str
) -> None:
    assert demo.command(_asked(*words), at=AT) == command


def _refused(context: Context, *words: str, **changes: Any) -> None:
    running = Running(PLACE, **({"by_hand": (7,)} | changes))
    assert demo._show_refusal(context, running, Refusal(409, BLOCKED), _asked(*words)) == REFUSED


def test_a_refusal_names_its_page_where_the_page_stays(context: Context, out: io.StringIO) -> None:
    _refused(context)

    assert "  The refusal: http://localhost:8080/runs/4/\n" in out.getvalue()
    assert "until Fri 19 Jun 2026, 23:44 London (22:44 UTC)" in out.getvalue()


def test_a_oneshot_names_no_page_that_is_about_to_vanish(
    context: Context, out: io.StringIO
) -> None:
    _refused(context, "--oneshot", "--port", "8151")

    assert "kept in the history: ./wedsync demo --port 8151 shows it again" in out.getvalue()
    assert "http://" not in out.getvalue()


def test_a_wedding_added_by_hand_that_blocks_is_named_with_the_way_out(
    context: Context, out: io.StringIO
) -> None:
    _refused(context)
    assert out.getvalue().count(f"stop and run: rm -r {PLACE.data}\n") == 1

    _refused(context, by_hand=())
    assert out.getvalue().count("added by hand") == 1


def test_the_way_out_is_told_from_the_checkout() -> None:
    assert demo._from(Path("/house"), Path("/house/.wedsync/demo")) == Path(".wedsync/demo")
    assert demo._from(Path("/house"), Path("/tmp/demo")) == Path("/tmp/demo")


@pytest.mark.parametrize(
    ("signal", "sentence"),
    [("SIGINT", "you pressed Ctrl-C"), ("SIGTERM", "SIGTERM arrived")],
)
def test_whoever_ends_a_run_is_told_what_becomes_of_it(
    signal: str, sentence: str, context: Context, out: io.StringIO
) -> None:
    with pytest.raises(Interrupted), demo._told(context):
        raise Interrupted(signal)

    assert f"Aborted: {sentence}; the run's verdict is kept.\n" in out.getvalue()
