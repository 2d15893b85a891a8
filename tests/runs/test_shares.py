"""What is divided among shards adds up to the whole, for every number of them."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.tools import ToolProblem
from runs.tools.artillery.phases import Phase
from runs.tools.artillery.shards import Part, divide, refuse_undivided
from runs.tools.k6 import K6
from runs.tools.k6.shards import segment
from tests.runs.tools.fake_shell import executable
from tests.runs.tools.local import job_of

shards = st.integers(1, 40)


def parts(of: int) -> list[Part]:
    return [Part(number, of) for number in range(of)]


@given(st.integers(0, 10_000), shards)
def test_shares_are_as_equal_as_can_be_and_sum_to_the_whole(whole: int, of: int) -> None:
    found = [part.share(whole) for part in parts(of)]
    assert sum(found) == whole
    assert max(found) - min(found) <= 1


@given(st.integers(1, 5000), st.integers(1, 300), st.booleans(), shards)
def test_the_arrivals_of_a_phase_sum_to_the_whole(
    arrivals: int, seconds: int, by_rate: bool, of: int
) -> None:
    kind = "arrivalRate" if by_rate else "arrivalCount"
    phase = Phase(duration=seconds, mode="poisson")
    setattr(phase, "arrival_rate" if by_rate else "arrival_count", arrivals)
    found = [divide([phase], part)[0] for part in parts(of)]
    assert sum(one.get(kind, 0) for one in found) == arrivals
    assert {one.get("duration", one.get("pause")) for one in found} == {seconds}
    assert {one["mode"] for one in found if kind in one} == {"poisson"}


@given(st.integers(0, 500), st.integers(1, 500), st.integers(40, 900), shards)
def test_a_ramp_and_its_limit_of_users_sum_to_the_whole(
    first: int, last: int, most: int, of: int
) -> None:
    phase = Phase(duration=60, arrival_rate=first, ramp_to=last, max_vusers=most)
    found = [divide([phase], part)[0] for part in parts(of)]
    assert sum(one.get("arrivalRate", 0) for one in found) == pytest.approx(first)
    assert sum(one.get("rampTo", 0) for one in found) == pytest.approx(last)
    assert sum(one.get("maxVusers", 0) for one in found) == most


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ({"arrival_rate": 5, "max_vusers": 2}, "maxVusers: 2, which cannot be divided among 3"),
        ({"arrival_count": 2}, "too few arrivals, which cannot be divided among 3"),
    ],
)
def test_what_has_no_part_for_every_worker_is_refused(phase: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolProblem, match=said):
        refuse_undivided([Phase(duration=10, **phase)], 3)


def test_a_phase_that_some_shards_have_no_part_of_is_a_pause_there() -> None:
    phases = [Phase(duration=9, arrival_count=1), Phase(pause=3), Phase(duration=4, arrival_rate=9)]
    assert divide(phases, Part(1, 2)) == [
        {"pause": 9},
        {"pause": 3},
        {"duration": 4, "arrivalRate": 4},
    ]


@given(shards.filter(lambda of: of > 1))
def test_k6_segments_meet_and_cover_the_whole(of: int) -> None:
    found = []
    for number in range(of):
        words = segment((number, of))
        start, end = words[words.index("--execution-segment") + 1].split(":")
        cuts = words[words.index("--execution-segment-sequence") + 1].split(",")
        assert Fraction(start) == Fraction(cuts[number])
        assert Fraction(end) == Fraction(cuts[number + 1])
        found.append((Fraction(start), Fraction(end)))
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
    assert (found[0][0], found[-1][1]) == (Fraction(0), Fraction(1))


def test_a_run_on_one_worker_is_no_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEDSYNC_K6", str(executable(tmp_path / "k6")))
    job = job_of(K6(), "", tmp_path)
    (tmp_path / "wedsync-inspect.json").write_text("{}")
    assert "--execution-segment" not in K6().command(job, samples_fd=1, go_fd=2).argv
