from datetime import timedelta
from pathlib import Path

import pytest

from wedsync_cli import children
from wedsync_cli.children import BackOff, Child, Place, PortOpen

PLACE = Place(
    root=Path("/house"),
    python=Path("/house/.venv/bin/python"),
    data=Path("/house/.wedsync/data"),
    stack_id="abc",
    port=8080,
    valkey_port=7000,
    valkey=Path("/house/valkey-server"),
    valkey_password="hush",
    offset_s=-3600,
)


def _services(place: Place = PLACE) -> dict[str, Child]:
    return {child.name: child for child in children.services(place, {})}


def test_every_process_of_a_stack_carries_its_mark_and_the_same_moved_clock() -> None:
    env = children.environment(PLACE, {"HOME": "/home/ada"})

    assert env["WEDSYNC_STACK"] == "abc"
    assert env["WEDSYNC_CLOCK_OFFSET"] == "-3600"
    assert env["WEDSYNC_VALKEY_URL"] == "redis://:hush@127.0.0.1:7000/0"
    assert env["WEDSYNC_SECRET_KEY_FILE"] == "/house/.wedsync/data/secret_key"
    assert env["HOME"] == "/home/ada"


def test_a_persons_own_settings_cannot_leak_into_the_embedded_stack() -> None:
    mine = {
        "DJANGO_SETTINGS_MODULE": "mine",
        "PYTHONPATH": "/mine",
        "WEDSYNC_SECRET_KEY": "x",
        "DATABASE_URL": "postgresql://mine",
        "WEDSYNC_CLOCK_OFFSET": "9",
    }

    env = children.environment(PLACE, mine)

    assert env["DJANGO_SETTINGS_MODULE"] == "wedsync_loadtest.settings"
    assert env["WEDSYNC_CLOCK_OFFSET"] == "-3600"
    assert not {"PYTHONPATH", "WEDSYNC_SECRET_KEY", "DATABASE_URL"} & set(env)


def test_a_load_tool_is_named_only_where_there_is_one() -> None:
    assert "WEDSYNC_K6" not in children.environment(PLACE, {})


def test_long_runs_have_a_worker_of_their_own() -> None:
    services = _services()

    assert services["runs"].argv[5:9] == ("worker", "-Q", "run", "-P")
    assert "celery" in services["tasks"].argv[services["tasks"].argv.index("-Q") + 1]


def test_valkey_listens_on_loopback_only_and_is_stopped_last() -> None:
    valkey = children.valkey(PLACE, {})

    assert valkey.argv[2:4] == ("--bind", "127.0.0.1")
    assert valkey.ready == PortOpen(7000)
    assert valkey.stop_stage == len(children.STOP_STAGES) - 1


def test_no_command_line_holds_the_password_of_valkey() -> None:
    env = children.environment(PLACE, {})
    for child in (children.valkey(PLACE, env), *children.services(PLACE, env)):
        assert "hush" not in " ".join(child.argv)
    assert "hush" not in repr(PLACE)


def test_workers_end_before_the_web_so_that_readers_learn_how_their_run_ended() -> None:
    services = _services()

    assert services["runs"].stop_stage < services["web"].stop_stage


def test_stopping_in_order_fits_in_five_seconds() -> None:
    assert sum(children.STOP_STAGES, timedelta()) < timedelta(seconds=5)


def test_the_guest_site_is_part_of_the_demo_only() -> None:
    demo = Place(**{**PLACE.__dict__, "guest_port": 7001})

    assert "guest-site" not in _services()
    assert _services(demo)["guest-site"].ready == PortOpen(7001)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.5), (2, 1), (3, 2), (5, 8), (6, 10), (1000, 10)]
)
def test_a_dead_child_is_started_again_ever_more_slowly(failures: int, seconds: float) -> None:
    assert BackOff().delay(failures) == timedelta(seconds=seconds)


def test_half_a_minute_of_calm_forgives_earlier_failures() -> None:
    assert BackOff().count(7, timedelta(seconds=31)) == 1
    assert BackOff().count(7, timedelta(seconds=29)) == 8
