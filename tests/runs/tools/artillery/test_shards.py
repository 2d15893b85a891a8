"""As many arrive in the shards of an Artillery test as in the whole, by Artillery's own phases."""

import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runs.tools import ToolProblem, artillery
from runs.tools.artillery import installed
from runs.tools.artillery.phases import Phase
from runs.tools.artillery.shards import Part, divide, refuse_undivided
from tests.runs.tools.local import tool_here

PHASES: list[dict[str, Any]] = [
    {"duration": 3, "arrivalRate": 0, "rampTo": 1},
    {"duration": 3, "arrivalRate": 1, "rampTo": 7},
    {"duration": 3, "arrivalRate": "2.5", "rampTo": "5.5"},
    {"duration": 3, "arrivalRate": 9, "rampTo": 0},
    {"duration": 1, "rampTo": 9},
    {"duration": 2, "arrivalRate": 7},
    {"duration": 2, "arrivalRate": 1},
    {"duration": 2, "arrivalCount": 5},
    {"duration": 2, "arrivalCount": 5, "arrivalRate": 3},
    {"duration": 2, "arrivalCount": 0, "arrivalRate": 3},
    {"pause": 2, "arrivalRate": 3},
]
MACHINES = [(2, 1), (4, 1), (3, 2), (2, 3)]
"""So many shards, and so many workers of Artillery's in each."""
DEALS = """
const [, , lib, part, told] = process.argv;
const divide = (await import(`${lib}/dist.js`)).default;
const begin = (await import(`${lib}/core/phases.js`)).default;
const { takePart } = await import(part);
console.log = () => {};
const counted = ({ config: { phases } }) => new Promise((done) => {
  takePart(phases);
  const phaser = begin(phases);
  let came = 0;
  phaser.on("arrival", () => (came += 1));
  phaser.on("done", () => setTimeout(() => done(came), 1100));
  phaser.run();
});
const shard = ({ phases, workers }) =>
  Promise.all(divide({ config: { phases } }, workers).map(counted));
const seen = await Promise.all(JSON.parse(told).map((shards) => Promise.all(shards.map(shard))));
process.stdout.write(JSON.stringify(seen));
"""


def part_of(phase: dict[str, Any], number: int, of: int) -> list[dict[str, Any]]:
    return divide([msgspec.convert(phase, Phase)], Part(number, of))


@pytest.fixture(scope="module")
def dealt() -> dict[tuple[int, int, int], list[list[int]]]:
    """The arrivals of each phase, whole and in shards, by shard and worker."""
    entry = tool_here("artillery").find()
    tests = [(at, of, workers) for at in range(len(PHASES)) for of, workers in [(1, 1), *MACHINES]]
    told = [
        [
            {"phases": part_of(PHASES[at], n, of) if of > 1 else [PHASES[at]], "workers": workers}
            for n in range(of)
        ]
        for at, of, workers in tests
    ]
    tap = Path(artillery.__file__).with_name("plugins") / "artillery-plugin-wedsync-tap"
    lib = installed.core(entry).parent
    argv = [str(installed.node(entry)), "--input-type=module", "-e", DEALS, "-"]
    argv += [str(lib), str(tap / "part.js"), json.dumps(told)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    return dict(zip(tests, json.loads(done.stdout), strict=True))


@pytest.mark.tool
@pytest.mark.parametrize("at", range(len(PHASES)), ids=lambda at: json.dumps(PHASES[at]))
def test_as_many_arrive_in_all_shards_together_as_in_the_whole(
    dealt: dict[tuple[int, int, int], list[list[int]]], at: int
) -> None:
    whole = sum(dealt[at, 1, 1][0])
    found = {of: [sum(shard) for shard in dealt[at, of, each]] for of, each in MACHINES}
    assert {of: sum(shards) for of, shards in found.items()} == dict.fromkeys(found, whole)


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ({"arrivalRate": 5, "maxVusers": 10}, [4, 3, 3]),
        ({"arrivalRate": 2, "maxVusers": 10}, [5, 5]),
        ({"arrivalCount": 1, "maxVusers": 1}, [1]),
        ({"arrivalRate": 1, "rampTo": 2, "maxVusers": 9}, [5, 4]),
        ({"arrivalRate": 9, "rampTo": 0, "maxVusers": 9}, [3, 3, 3]),
    ],
)
def test_a_limit_of_users_is_divided_among_those_shards_that_have_any(
    phase: dict[str, Any], words: list[int]
) -> None:
    refuse_undivided([msgspec.convert({"duration": 9} | phase, Phase), Phase(9, arrival_rate=9)], 3)
    found = [part_of({"duration": 9} | phase, number, 3)[0] for number in range(3)]
    assert [one["maxVusers"] for one in found[: len(words)]] == words
    assert found[len(words) :] == [{"pause": 9}] * (3 - len(words))


@pytest.mark.parametrize(
    "phases",
    [
        [],
        [{"pause": 5}],
        [{"arrivalRate": 0}, {"arrivalRate": 2}],
        [{"arrivalRate": 0, "rampTo": 2.4}],
        [{"arrivalCount": 0, "arrivalRate": 9}],
        [{"pause": 5, "arrivalRate": 9}],
        [{"duration": 1, "rampTo": 4}],
    ],
)
def test_where_the_last_shard_would_have_nobody_the_test_is_refused(
    phases: list[dict[str, Any]],
) -> None:
    found = [msgspec.convert({"duration": 9} | phase, Phase) for phase in phases]
    with pytest.raises(ToolProblem, match="too few arrivals.*among 3 workers") as caught:
        refuse_undivided(found, 3)
    assert caught.value.code == "cannot_divide"
    refuse_undivided([*found, Phase(9, arrival_rate=3)], 3)


@pytest.mark.parametrize(
    "phase",
    [
        {"arrivalRate": 5, "maxVusers": 2},
        {"arrivalRate": 0, "rampTo": 9, "maxVusers": "1"},
        {"arrivalCount": 9, "maxVusers": 0},
    ],
)
def test_a_limit_of_users_that_is_less_than_a_user_for_a_shard_is_refused(
    phase: dict[str, Any],
) -> None:
    with pytest.raises(ToolProblem, match=f"maxVusers: {phase['maxVusers']}, which cannot be"):
        refuse_undivided([msgspec.convert({"duration": 9} | phase, Phase)], 3)
