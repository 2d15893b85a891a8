import json

import pytest

from runs.samples import REQUESTS, Key
from runs.tools.artillery.lines import ArtilleryReader


def line(worker: int = 1, users: int = 1, dropped: int = 0, **more: object) -> bytes:
    word = {"worker": worker, "at": 5, "users": users, "dropped": dropped} | more
    return json.dumps(word).encode() + b"\n"


def test_users_and_losses_of_all_workers_are_added_up() -> None:
    reader = ArtilleryReader()
    batch = reader.feed(b'{"hello":1}\n' + line(1, 3, 2) + line(2, 4, 1) + line(0, 0))
    assert (batch.users, reader.dropped) == ({5: 7}, 3)


def test_a_value_is_there_as_often_as_it_came() -> None:
    cell = [5, REQUESTS, "trend", "home", "500", [7, 2, 9.5, 1], 3, 0]
    batch = ArtilleryReader().feed(b'{"hello":1}\n' + line(cell=cell))
    found = batch.cells[5, Key(REQUESTS, "home", "500")]
    assert (found.values, found.errors, found.unanswered) == ([7, 7, 9.5], 3, 0)


def test_what_is_no_request_keeps_its_kind() -> None:
    cell = [5, "vusers.created", "counter", "", "", [12, 1], 0, 0]
    batch = ArtilleryReader().feed(b'{"hello":1}\n' + line(cell=cell))
    assert batch.kinds == {"vusers.created": "counter"}
    assert batch.cells[5, Key("vusers.created", "")].values == [12]


@pytest.mark.parametrize(
    "cell",
    [
        [5, REQUESTS, "trend", "a", "", [7], 0, 0],
        [5, REQUESTS, "trend", "a", "", [-1, 1], 0, 0],
        [5, REQUESTS, "trend", "a", "", [7, 1], 9, 0],
        [5, REQUESTS, "trend", "a", "", [7, 1e12], 0, 0],
        [5, REQUESTS, "trend", "a", "", [7, -1], 0, 0],
        [5, REQUESTS, "trend", "a", "", [7, 1e7, 7, -1e7], 0, 0],
        [5, REQUESTS, "trend", "a", "", [1e-30, 1], 0, 0],
        [5, REQUESTS, "trend", "a", "", [1e300, 1], 0, 0],
        [5, REQUESTS, "sum", "a", "", [7, 1], 0, 0],
    ],
)
def test_a_cell_that_makes_no_sense_is_left_out(cell: list[object]) -> None:
    reader = ArtilleryReader()
    assert reader.feed(b'{"hello":1}\n' + line(cell=cell)).cells == {}
    assert reader.garbage == 1


def test_short_lines_do_not_unfold_to_more_than_fits_between_two_looks() -> None:
    reader, many = ArtilleryReader(), [5, REQUESTS, "trend", "a", "", [7, 900_000], 0, 0]
    batch = reader.feed(b'{"hello":1}\n' + 3 * line(cell=many))
    assert (sum(cell.count for cell in batch.cells.values()), reader.garbage) == (900_000, 2)
    assert len(reader.feed(line(cell=many)).cells) == 1


def test_a_script_that_tells_of_workers_without_end_is_not_kept_in_mind() -> None:
    reader = ArtilleryReader()
    reader.feed(b'{"hello":1}\n' + b"".join(line(worker, 0, 1) for worker in range(5000)))
    assert (reader.dropped, reader.garbage) == (1000, 4000)
