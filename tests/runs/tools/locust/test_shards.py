"""The users of a sharded Locust test are those of the whole one, by Locust's own dispatcher."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runs.tools import locust
from tests.runs.tools.locust.shell import python

pytestmark = pytest.mark.tool
DEALS = """
import json, sys
import wedsync_shards
from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

class Browser(User): weight = 5
class Writer(User): weight = 1
class Host(User): fixed_count = 1
class Band(User): fixed_count = 4

def steps(kind, *waves):
    dispatcher = kind([WorkerNode("local")], [Browser, Writer, Host, Band])
    for users, rate in waves or ((2, 1000), (37, 4000), (11, 3000), (0, 1000), (12, 2500)):
        dispatcher.new_dispatch(users, rate)
        for told in dispatcher:
            yield told["local"]

def shares(of):
    parts = [list(steps(wedsync_shards.part_of(UsersDispatcher, each, of))) for each in range(of)]
    return list(zip(*parts, strict=True))

def after_waves(of):
    for each in range(of):
        kind, low = wedsync_shards.part_of(UsersDispatcher, each, of), 4 + each
        *_, last = steps(kind, (11, 9000), (low, 9000), (11, 9000), (low, 9000), (10, 9000))
        yield sum(last.values())

counts = [int(word) for word in sys.argv[1:]]
told = [list(steps(UsersDispatcher)), *map(shares, counts)]
print(json.dumps([told, [list(after_waves(of)) for of in counts]]))
"""


@pytest.fixture(scope="module")
def dealt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """By Locust's own Python: among two, three and seventeen shards."""
    folder = tmp_path_factory.mktemp("dealt")
    ours = Path(locust.__file__).with_name("shards.py")
    shutil.copyfile(ours, folder / "wedsync_shards.py")
    env = {"WEDSYNC_SHARD": "0/1", "PYTHONPATH": str(folder)}
    argv = [python(), "-c", DEALS, "2", "3", "17"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
    told, waves = json.loads(done.stdout)
    return told, waves


def test_by_class_they_add_up_at_every_step_as_they_come_and_go(dealt: tuple[Any, Any]) -> None:
    """Weighted and fixed ones, with fewer users than shards as well."""
    whole, *by_count = dealt[0]
    most = whole.index({"Browser": 27, "Writer": 5, "Host": 1, "Band": 4})
    for parts in by_count:
        for step, shares in zip(whole, parts, strict=True):
            assert {name: sum(share[name] for share in shares) for name in step} == step
        sizes = [sum(share.values()) for share in parts[most]]
        assert max(sizes) - min(sizes) <= 1


def test_shards_that_saw_a_wave_at_other_heights_add_up_after_it(dealt: tuple[Any, Any]) -> None:
    assert [sum(users) for users in dealt[1]] == [10, 10, 10]
